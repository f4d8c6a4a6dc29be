"""Every page of Django's admin x every person: the table's cell for the model's resource, whatever Django's own permissions say."""

from functools import partial
from itertools import product
from typing import Final
from uuid import UUID

import pytest
from django.contrib import admin
from django.db import models
from django.urls import URLPattern

from telehealth.accounts.access import Action, Resource, Role
from tests.conformance.cells.asking import send, undone
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.oracle import PEOPLE, Who
from tests.conformance.samples import sample

STAFF: Final = (Role.PRIVACY_OFFICER, Role.ADMINISTRATOR)
# Which row of the table a model's pages are; None: nobody's, for nobody manages these by hand.
RESOURCES: Final[dict[str, Resource | None]] = {
    "accounts.User": Resource.STAFF_ACCOUNT,
    "accounts.Invitation": Resource.STAFF_ACCOUNT,
    "accounts.RoleGrant": Resource.ROLE_GRANT,
    "accounts.StaffReset": Resource.ROLE_GRANT,
    "accounts.Application": Resource.APP,
    "accounts.AccessToken": None,
    "accounts.Grant": None,
    "accounts.IDToken": None,
    "accounts.RefreshToken": None,
    "auth.Group": None,
    "audit.Entry": Resource.AUDIT_ENTRY,
    "records.LegalHold": Resource.LEGAL_HOLD,
    "records.Destruction": Resource.DESTRUCTION,
    "records.License": Resource.LICENSE,
    "records.LicenseException": Resource.LICENSE,
    "review.Disclosure": Resource.DISCLOSURE,
    "review.Finding": Resource.FINDING,
    "review.Incident": Resource.INCIDENT,
    "scheduling.VisitType": Resource.VISIT_TYPE,
    "scheduling.Availability": Resource.AVAILABILITY,
    "scheduling.AvailabilityException": Resource.AVAILABILITY,
    "scheduling.BookableResource": Resource.BOOKABLE_RESOURCE,
}
NEVER_ADDED: Final = {"accounts.User", "audit.Entry", "review.Finding"}
MODELS: Final = {model._meta.label: model for model in admin.site._registry}


def test_each_model_has_a_row() -> None:
    assert set(MODELS) == set(RESOURCES)


@pytest.mark.parametrize("label", RESOURCES)
def test_each_page_is_the_tables_verdict(clinic: Clinic, label: str) -> None:
    with undone():
        pk = row_of(clinic, label)
        assert [told for route in urls_of(label) for who in PEOPLE if (told := disagreement(clinic, who, label, route, pk))] == []


def disagreement(clinic: Clinic, who: Who, label: str, route: str, pk: object) -> str:
    path = f"{base_of(label)}{filled(clinic, route, pk)}"
    answer = send(clinic.browser(who.name), "get", path, {}, is_api=False)
    return "" if answer.status in expected(who, label, route) else f"{who.name} {path}: {answer.status}"


@pytest.mark.parametrize("label", RESOURCES)
def test_nobody_deletes_what_the_table_does_not_let_them(clinic: Clinic, label: str) -> None:
    with undone():
        pk, model = row_of(clinic, label), MODELS[label]
        for who, path, body in product(PEOPLE, [f"{base_of(label)}{pk}/delete/", base_of(label)], [DELETE | {"_selected_action": str(pk)}]):
            left: list[bool] = []
            if (resource := RESOURCES[label]) and who.scopes(Action.DELETE, resource):
                continue
            send(clinic.browser(who.name), "post", path, body, is_api=False, after=partial(look, model, pk, left))
            assert left == [True], (who.name, path)


DELETE: Final = {"post": "yes", "action": "delete_selected"}


def look(model: type[models.Model], pk: object, left: list[bool]) -> None:
    left.append(model._default_manager.filter(pk=pk).exists())


def base_of(label: str) -> str:
    return f"/admin/{label.lower().replace('.', '/')}/"


def urls_of(label: str) -> list[str]:
    """The routes of a model's own pages; the last one of Django's only leads to the change page."""
    found = [str(url.pattern) for url in admin.site._registry[MODELS[label]].get_urls() if isinstance(url, URLPattern)]
    return [route for route in found if route != "<path:object_id>/"]


def filled(clinic: Clinic, route: str, pk: object) -> str:
    for gap, value in (("<path:object_id>", pk), ("patients/<uuid:pk>", f"patients/{clinic.thing('pia', 'patient')}"),
                       ("accounts/<uuid:pk>", f"accounts/{clinic.accounts['biller']}"), ("<uuid:pk>", pk)):  # fmt: skip
        route = route.replace(gap, str(value))
    return route


def row_of(clinic: Clinic, label: str) -> object:
    model: type[models.Model] = MODELS[label]
    known: dict[str, UUID] = {
        "accounts.User": clinic.accounts["nan"],
        "review.Finding": clinic.thing("pia", "finding"),
        "review.Incident": clinic.thing("pia", "incident"),
        "review.Disclosure": clinic.thing("pia", "disclosure"),
        "audit.Entry": clinic.thing("pia", "entry"),
    }
    if label in known:
        return known[label]
    given = {"accounts.Invitation": {"patient": None, "relationship": "", "role": "nurse"}}.get(label, {})
    return sample(model, **given).pk


def expected(who: Who, label: str, route: str) -> set[int]:
    """Whoever has no business in the admin is sent away; who has, but not here, gets 403."""
    if who.role not in STAFF:
        return {302}
    resource, no = RESOURCES[label], {403, 302}
    if resource is None:
        return {403}
    if route.endswith("delete/"):
        return {200} if who.scopes(Action.DELETE, resource) else no
    if route == "add/":
        return {200} if who.scopes(Action.CREATE, resource) and label not in NEVER_ADDED else no
    seen_by_all = resource in (Resource.VISIT_TYPE, Resource.LICENSE)  # everybody's to see elsewhere; the page here is for who changes it
    return {200} if who.scopes(Action.UPDATE if seen_by_all else Action.SEARCH, resource) else no
