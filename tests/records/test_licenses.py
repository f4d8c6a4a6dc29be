"""Leave to practise in a state: given and ended by administrators, told in the ledger, read by everybody."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from audit.ledger import Act, Actor, flush, uuid7
from audit.ledger.models import Entry
from telehealth.core.errors import Missing, Refused
from telehealth.records import services
from telehealth.records.errors import LicenseOdd
from telehealth.records.models import License, LicenseException
from tests.cast import Cast
from tests.people import ClientFor, body

FROM, LAST = date(2026, 1, 1), date(2027, 12, 31)


def licensed(cast: Cast, by: Actor | None = None, **given: Any) -> License:
    return services.give_license(**{"practitioner_id": cast.cho.pk, "state": "NH", "valid_from": FROM, **given}, by=by or cast.admin)


def excepted(cast: Cast, by: Actor | None = None, **given: Any) -> LicenseException:
    return services.give_exception(**{"state": "NH", "basis": "compact", "valid_from": FROM, **given}, by=by or cast.admin)


def changes(pk: UUID) -> list[Any]:
    flush()
    return [json.loads(entry.detail) for entry in Entry.objects.filter(object_pk=str(pk), act=Act.LICENSE_CHANGED).order_by("id")]


def test_a_licence_is_given_and_ended_and_the_ledger_says_so(cast: Cast) -> None:
    made = licensed(cast, state="New Hampshire")
    services.end_license(license_id=made.pk, last_day=LAST, by=cast.admin)
    made.refresh_from_db()
    assert (made.state, made.valid_from, made.valid_to) == ("NH", FROM, LAST)
    assert [entry["what"] for entry in changes(made.pk)] == ["given", "ended"]
    assert changes(made.pk)[0] | {"what": ""} == {"what": "", "practitioner": str(cast.cho.pk), "state": "NH"}


def test_an_exception_is_one_practitioners_or_the_whole_clinics(cast: Cast) -> None:
    everybody, hers = excepted(cast), excepted(cast, practitioner_id=cast.cho.pk)
    assert (everybody.practitioner_id, hers.practitioner_id) == (None, cast.cho.pk)
    assert changes(everybody.pk)[0]["practitioner"] == "everybody"
    services.end_exception(exception_id=everybody.pk, last_day=LAST, by=cast.admin)
    assert LicenseException.objects.get(pk=everybody.pk).valid_to == LAST


@pytest.mark.parametrize("give", [licensed, excepted])
def test_what_is_no_leave_is_refused(cast: Cast, give: Callable[..., Any]) -> None:
    give(cast)
    for odd in ({}, {"state": "Narnia"}, {"state": "VT", "valid_to": date(2025, 12, 31)}):
        with pytest.raises(LicenseOdd):
            give(cast, **odd)
    with pytest.raises(LicenseOdd):
        excepted(cast, state="VT", basis="because")
    with pytest.raises(Missing):
        give(cast, practitioner_id=uuid7())
    assert License.objects.filter(state="VT").count() == LicenseException.objects.filter(state="VT").count() == 0


def test_an_end_before_the_beginning_is_refused(cast: Cast) -> None:
    made = licensed(cast)
    with pytest.raises(LicenseOdd):
        services.end_license(license_id=made.pk, last_day=date(2025, 12, 31), by=cast.admin)


@pytest.mark.parametrize("who", ["desk", "dr_cho", "privacy", "pia"])
def test_administrators_alone_give_and_end_them(cast: Cast, who: str) -> None:
    licence, exception = licensed(cast), excepted(cast)
    by = getattr(cast, who)
    attempts: list[Callable[[], object]] = [
        lambda: licensed(cast, by, state="VT"),
        lambda: excepted(cast, by, state="VT"),
        lambda: services.end_license(license_id=licence.pk, last_day=LAST, by=by),
        lambda: services.end_exception(exception_id=exception.pk, last_day=LAST, by=by),
    ]
    for attempt in attempts:
        with pytest.raises(Refused):
            attempt()


def test_everybody_reads_who_may_practise_where(cast: Cast, client_for: ClientFor) -> None:
    licensed(cast, valid_to=LAST)
    excepted(cast, state="VT", basis="emergency-waiver")
    app = client_for(cast.pia)
    found = body(app.get("/api/v1/licenses/", {"practitioner": str(cast.cho.pk), "state": "nh", "on": "2026-06-01"}))["results"]
    assert [(row["state"], row["valid_to"], row["practitioner"]) for row in found] == [("NH", "2027-12-31", str(cast.cho.pk))]
    assert body(app.get("/api/v1/licenses/", {"state": "NH", "on": "2028-01-01"}))["results"] == []
    (waiver,) = body(app.get("/api/v1/license-exceptions/", {"practitioner": str(cast.cho.pk)}))["results"]
    assert (waiver["basis"], waiver["practitioner"], waiver["state"]) == ("emergency-waiver", None, "VT")
    assert app.get("/api/v1/licenses/", {"on": "someday"}).status_code == 400


def test_the_admins_pages_give_and_end_them(cast: Cast, client_for: ClientFor) -> None:
    admin = client_for(cast.admin)
    asked = {"practitioner": str(cast.cho.pk), "state": "NH", "valid_from": "2026-01-01"}
    added = admin.post("/admin/records/license/add/", asked, format="multipart")
    made = License.objects.get(state="NH")
    assert (added.status_code, made.practitioner_id) == (302, cast.cho.pk)
    admin.post(f"/admin/records/license/{made.pk}/change/", {"valid_to": "2027-12-31", "state": "VT"}, format="multipart")
    made.refresh_from_db()
    assert (made.valid_to, made.state) == (LAST, "NH")
    for _ in range(2):  # the second says that it is there
        admin.post("/admin/records/licenseexception/add/", {**asked, "practitioner": "", "basis": "compact"}, format="multipart")
    assert LicenseException.objects.get().practitioner_id is None
    assert b"Everybody of the clinic" in admin.get("/admin/records/licenseexception/").content
