"""Care relationships: assigned, stood in for, handed over; ended is ended at once, and everything is on record."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from audit.ledger import Act, uuid7
from telehealth.records.models import CareRelationship, Covering, Patient
from telehealth.records.services import begin_care
from tests.cast import Cast, make_patient
from tests.people import Acts, Browser, ClientFor

HOUR = timedelta(hours=1)


def sees(browser: Browser, patient: Patient) -> bool:
    """By the record itself, its chart and the list, which must agree."""
    record = f"/api/v1/patients/{patient.pk}/"
    ways = {
        browser.get(record).status_code == 200,
        browser.get(f"{record}resources/").status_code == 200,
        str(patient.pk) in [row["id"] for row in browser.get("/api/v1/patients/").json()["results"]],
    }
    assert len(ways) == 1
    return ways.pop()


def assign(browser: Browser, patient: Patient, practitioner: Any, **more: Any) -> Any:
    return browser.post(f"/api/v1/patients/{patient.pk}/care/", {"practitioner": str(practitioner.pk), **more})


def at(moment: datetime) -> str:
    return moment.isoformat()


def test_who_is_assigned_sees_the_record_until_the_assignment_ends(cast: Cast, client_for: ClientFor, acts: Acts) -> None:
    desk, cho = client_for(cast.desk), client_for(cast.dr_cho)
    made = assign(desk, cast.pia_record, cast.cho)
    assert (made.status_code, sees(cho, cast.pia_record), sees(client_for(cast.dr_dee), cast.pia_record)) == (201, True, False)
    assert desk.delete(f"/api/v1/care-relationships/{made.json()['id']}/").status_code == 200
    assert not sees(cho, cast.pia_record)
    assert {Act.CARE_BEGUN, Act.CARE_ENDED} <= set(acts())


def test_an_assignment_ends_by_itself(cast: Cast, client_for: ClientFor) -> None:
    cho = client_for(cast.dr_cho)
    assign(client_for(cast.desk), cast.pia_record, cast.cho, ends_at=at(timezone.now() + HOUR))
    assert sees(cho, cast.pia_record)
    CareRelationship.objects.update(starts_at=F("starts_at") - 2 * HOUR, ends_at=F("ends_at") - 2 * HOUR)
    assert not sees(cho, cast.pia_record)


def test_assigning_again_gives_a_new_period_and_no_second_reason(cast: Cast, client_for: ClientFor) -> None:
    desk, cho = client_for(cast.desk), client_for(cast.dr_cho)
    assign(desk, cast.pia_record, cast.cho)
    second = assign(desk, cast.pia_record, cast.cho).json()
    desk.delete(f"/api/v1/care-relationships/{second['id']}/")
    assert not sees(cho, cast.pia_record)


def test_what_an_appointment_began_is_not_ended_as_an_assignment(cast: Cast, client_for: ClientFor) -> None:
    care = begin_care(patient_id=cast.pia_record.pk, practitioner_id=cast.cho.pk, source="appointment", source_id=uuid7(), by=cast.system)
    assert client_for(cast.desk).delete(f"/api/v1/care-relationships/{care.pk}/").status_code == 404
    assert sees(client_for(cast.dr_cho), cast.pia_record)


@pytest.mark.parametrize("who", ["pia", "gus", "dr_cho", "dr_dee", "nan", "biller", "privacy", "admin"])
def test_nobody_assigns_themselves_or_others_but_the_desk(cast: Cast, client_for: ClientFor, who: str) -> None:
    assert assign(client_for(getattr(cast, who)), cast.pia_record, cast.dee).status_code == 404
    assert not sees(client_for(cast.dr_dee), cast.pia_record)


def covering(browser: Browser, cast: Cast, starts: timedelta, ends: timedelta, **more: str) -> Any:
    moment = timezone.now()
    given = {"covering": str(cast.dee.pk), "starts_at": at(moment + starts), "ends_at": at(moment + ends), **more}
    return browser.post(f"/api/v1/practitioners/{cast.cho.pk}/covering/", given)


def test_who_covers_sees_the_others_panel_in_that_time_and_no_other(cast: Cast, client_for: ClientFor, acts: Acts) -> None:
    assign(client_for(cast.desk), cast.pia_record, cast.cho)
    cho, dee = client_for(cast.dr_cho), client_for(cast.dr_dee)
    made = covering(cho, cast, -HOUR, HOUR)
    assert (made.status_code, sees(dee, cast.pia_record), sees(dee, cast.ned_record)) == (201, True, False)
    Covering.objects.update(starts_at=F("starts_at") + 2 * HOUR, ends_at=F("ends_at") + 2 * HOUR)
    assert not sees(dee, cast.pia_record)
    Covering.objects.update(starts_at=F("starts_at") - 2 * HOUR, ends_at=F("ends_at") - 2 * HOUR)
    assert cho.delete(f"/api/v1/coverings/{made.json()['id']}/").status_code == 200
    assert not sees(dee, cast.pia_record)
    assert {Act.COVERING_ARRANGED, Act.COVERING_ENDED} <= set(acts())


def test_cover_does_not_reach_through_cover(cast: Cast, client_for: ClientFor) -> None:
    assign(client_for(cast.desk), cast.pia_record, cast.cho)
    covering(client_for(cast.dr_cho), cast, -HOUR, HOUR)
    Covering.objects.create(
        covered=cast.dee, covering=cast.cho, arranged_by=cast.dr_dee.account, starts_at=timezone.now() - HOUR, ends_at=timezone.now() + HOUR
    )
    assign(client_for(cast.desk), cast.ned_record, cast.dee)
    assert sees(client_for(cast.dr_cho), cast.ned_record) and sees(client_for(cast.dr_dee), cast.pia_record)
    third = make_patient("Third", "Tess")
    assert not sees(client_for(cast.dr_cho), third)


@pytest.mark.parametrize(("starts", "ends", "more"), [(-2 * HOUR, -HOUR, {}), (2 * HOUR, HOUR, {}), (-HOUR, HOUR, {"covering": "cho"})])
def test_a_cover_over_before_it_starts_or_by_oneself_is_none(
    cast: Cast, client_for: ClientFor, starts: timedelta, ends: timedelta, more: dict[str, str]
) -> None:
    reply = covering(client_for(cast.dr_cho), cast, starts, ends, **({"covering": str(cast.cho.pk)} if more else {}))
    assert (reply.status_code, reply.json()["code"]) == (400, "period_unusable")


@pytest.mark.parametrize(("who", "status"), [("dr_cho", 201), ("admin", 201), ("dr_dee", 404), ("desk", 404), ("nan", 404), ("pia", 404)])
def test_a_panel_is_arranged_by_its_practitioner_or_an_administrator(cast: Cast, client_for: ClientFor, who: str, status: int) -> None:
    assert covering(client_for(getattr(cast, who)), cast, -HOUR, HOUR).status_code == status


def test_a_panel_is_handed_over_whole_after_a_dry_run(cast: Cast, client_for: ClientFor, acts: Acts) -> None:
    desk, cho, dee, admin = (client_for(who) for who in (cast.desk, cast.dr_cho, cast.dr_dee, cast.admin))
    for patient in (cast.pia_record, cast.ned_record):
        assign(desk, patient, cast.cho)
    assign(desk, cast.ned_record, cast.dee)
    path, to = f"/api/v1/practitioners/{cast.cho.pk}/hand-over/", {"to": str(cast.dee.pk)}
    assert admin.post(path, to).json() == {"patients": 2, "done": False}
    assert sees(cho, cast.pia_record) and not sees(dee, cast.pia_record)
    assert admin.post(path, {**to, "dry_run": False}).json() == {"patients": 2, "done": True}
    assert [sees(who, record) for who in (cho, dee) for record in (cast.pia_record, cast.ned_record)] == [False, False, True, True]
    assert acts().count(Act.CARE_ENDED) == 2 and Act.PANEL_HANDED_OVER in acts()
    assert admin.post(path, {**to, "dry_run": False}).json() == {"patients": 0, "done": True}
    assert dee.post(path, to).status_code == 404
