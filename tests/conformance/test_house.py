"""The house's own rules, run over the house: a convention without a check drifts."""

import ast
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models

from audit.ledger import Act
from telehealth.vault.fields import BlindIndexField, SealedField
from tests.conformance.source import ROOT, Function, functions, modules, names_in, service_modules

OURS = {"audit", "core", "rest", "portal", "vault", "accounts", "outbox", "records", "review", "scheduling", "consults", "prescribing"}
LAZY = {"telehealth/vault/record_keys.py"}  # its models import it


def test_no_file_and_no_function_is_too_long() -> None:
    files = [path for path in modules() if len((ROOT / path).read_text().splitlines()) > 400]
    long = [
        f"{path}:{node.name}" for path, tree in modules().items() for node in functions(tree) if (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert (files, long) == ([], [])


def test_nothing_is_imported_inside_a_function() -> None:
    hidden = [
        f"{path}:{node.name}"
        for path, tree in modules().items()
        for node in functions(tree)
        for each in ast.walk(node)
        if isinstance(each, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_every_act_is_recorded_somewhere() -> None:
    source = "\n".join((ROOT / path).read_text() for path in modules() if path != "audit/ledger/acts.py")
    assert [act.name for act in Act if f"Act.{act.name}" not in source] == []
    values = [act.value for act in Act]
    assert values == sorted(values)


UNSIGNED = {
    # What nobody does by hand: a row in the caller's own transaction, and the clock's delivery of it.
    "telehealth/accounts/services/guarding.py:mark_guardian",
    "telehealth/outbox/services/delivering.py:deliver_due",
    "telehealth/outbox/services/queueing.py:enqueue",
    "telehealth/outbox/services/queueing.py:notify",
}


def services() -> Iterator[tuple[str, Function]]:
    """What an app's `services` offers: functions of `services.py`, or those that the folder's `__all__` names."""
    for path, tree in service_modules():
        package = path.rpartition("/")[0] + "/__init__.py"
        offered = exported(modules()[package]) if "/services/" in path else None
        for node in tree.body:
            name = f"{path}:{getattr(node, 'name', '_')}"
            if isinstance(node, Function) and not node.name.startswith("_") and name not in UNSIGNED:
                if offered is None or node.name in offered:
                    yield name, node


def exported(tree: ast.Module) -> set[str]:
    lists = [node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)]
    return {each.value for listed in lists for each in listed.elts if isinstance(each, ast.Constant)}


def test_a_service_names_who_acts_by_keyword_and_is_atomic() -> None:
    found = list(services())
    nameless = [name for name, node in found if "by" not in {each.arg for each in node.args.kwonlyargs} or node.args.args]
    loose = [name for name, node in found if "atomic" not in {x for each in node.decorator_list for x in names_in(each)} | names_in(node)]
    assert (nameless, loose) == ([], [])
    assert len(found) > 40


def test_a_service_leaves_an_entry() -> None:
    """`record` is reached from each, through the steps that it is made of."""
    steps = {node.name: names_in(node) for path, tree in modules().items() for node in functions(tree) if "/tests/" not in path}

    def reaches(name: str, seen: set[str]) -> bool:
        called = steps.get(name, set()) - seen
        return bool({"record", "record_each"} & called) or any(reaches(each, seen | called) for each in called if each in steps)

    assert [name for name, node in services() if not reaches(node.name, {node.name})] == []


def test_only_services_write() -> None:
    writes = {"save", "bulk_create", "get_or_create", "update_or_create"}
    faces = ("api.py", "portal.py", "consumers.py", "selectors.py", "rules.py", "fhir.py")
    found = [
        f"{path}:{each.func.attr}"
        for path, tree in modules().items()
        if path.endswith(faces) or any(f"/{face[:-3]}/" in path for face in faces)
        for each in ast.walk(tree)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in writes
    ]
    assert found == []


def test_faces_ask_nothing_of_the_database() -> None:
    faces = ("api", "portal", "consumers", "tasks")
    found = [
        path
        for path, tree in modules().items()
        if any(path.endswith(f"/{face}.py") or f"/{face}/" in path for face in faces) and not path.startswith("telehealth/portal/")
        if "objects" in names_in(tree)
    ]
    assert found == []


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_a_model_shows_its_id_and_nothing_sealed(model: type[models.Model]) -> None:
    sealed = [field for field in model._meta.concrete_fields if isinstance(field, SealedField)]
    made = model(**{field.attname: {"c": "Canary"} if "JSON" in type(field).__name__ else "Canary" for field in sealed})
    assert "Canary" not in f"{made}{made!r}"


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_a_blind_index_stands_behind_its_source(model: type[models.Model]) -> None:
    order = [field.name for field in model._meta.concrete_fields]
    for field in model._meta.concrete_fields:
        if isinstance(field, BlindIndexField):
            assert order.index(field.source) < order.index(field.name)


CLEAR = {
    "name",
    "email",
    "phone",
    "address",
    "birth_date",
    "family",
    "given",
    "ssn",
    "mrn",
    "note",
    "body",
    "text",
    "reason_text",
    "reason",
}
PUBLIC = {
    # Not PHI: staff, organisations, the catalogue, and codes (design.md).
    "accounts.Invitation.name",  # of staff; a patient's is sealed with the record
    "accounts.Session.reason",  # a code
    "accounts.User.name",
    "audit.Entry.reason",
    "outbox.Message.reason",
    "vault.IntegrationSecret.name",  # which secret it is
}


def test_what_sounds_like_health_data_is_sealed() -> None:
    clear = {
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        if any(isinstance(each, SealedField) for each in model._meta.concrete_fields)
        for field in model._meta.concrete_fields
        if field.name in CLEAR and not isinstance(field, SealedField)
    }
    assert clear - PUBLIC == set()
