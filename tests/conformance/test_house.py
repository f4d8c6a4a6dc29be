"""The house's own rules, run over the house: a convention without a check drifts."""

import ast
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models

from audit.ledger import Act
from telehealth.vault.fields import BlindIndexField, SealedField
from tests.conformance.source import ROOT, Function, functions, modules, service_modules

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


def public_services() -> Iterator[tuple[str, Function]]:
    """Top-level functions that take `by`: what a person does. Others are steps of these."""
    for path, tree in service_modules():
        for node in tree.body:
            if isinstance(node, Function) and not node.name.startswith("_"):
                yield f"{path}:{node.name}", node


def test_who_acts_is_named_by_keyword() -> None:
    positional = [name for name, node in public_services() if "by" in {argument.arg for argument in node.args.args}]
    assert positional == []


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
    "accounts.User.name",
    "audit.Entry.reason",
    "outbox.Message.reason",
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
