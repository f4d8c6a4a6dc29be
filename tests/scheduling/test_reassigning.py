"""A provider leaves: their appointments go to colleagues, a dry run first."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.ledger import SYSTEM, Act
from scheduling import services
from scheduling.errors import ReassignmentOdd
from scheduling.models import Appointment
from telehealth.core import now
from telehealth.core.errors import Refused
from telehealth.outbox.models import Message
from telehealth.records.models import CareRelationship, License, Practitioner
from tests.people import Acts, ClientFor, MakeAccount, body
from tests.scheduling.conftest import ZONE, Clinic, provider
from tests.scheduling.test_no_double_booking import overlaps


@pytest.fixture
def leaving(clinic: Clinic) -> list[Appointment]:
    """Pia's and Ned's, one after the other, both with Dr Cho."""
    return [services.book(**clinic.wish()), services.book(**clinic.wish(10) | {"patient_id": clinic.ned_record.pk})]


def care(clinic: Clinic) -> set[object]:
    return set(CareRelationship.objects.filter(patient=clinic.pia_record, ends_at__gt=now()).values_list("practitioner_id", flat=True))


def moved(clinic: Clinic, *to: Practitioner, apply: bool = False) -> list[tuple[object, list[str]]]:
    moves = services.reassign(from_id=clinic.dr_cho.pk, to_ids=[each.pk for each in to], by=clinic.desk.by, apply=apply)
    return [(each.to, sorted(each.why.values())) for each in moves]


def test_a_dry_run_says_and_changes_nothing(clinic: Clinic, leaving: list[Appointment], acts: Acts) -> None:
    before = acts()
    assert moved(clinic, clinic.dr_dee) == [(clinic.dr_dee.pk, []), (clinic.dr_dee.pk, [])]
    assert {each.practitioner_id for each in Appointment.objects.all()} == {clinic.dr_cho.pk}
    assert acts() == before


def test_applied_care_follows_and_the_patients_are_told(clinic: Clinic, leaving: list[Appointment], acts: Acts) -> None:
    assert moved(clinic, clinic.dr_dee, apply=True) == [(clinic.dr_dee.pk, []), (clinic.dr_dee.pk, [])]
    found = Appointment.objects.get(pk=leaving[0].pk)
    assert (found.practitioner_id, found.starts_at, found.version, found.sequence) == (clinic.dr_dee.pk, clinic.start(), 2, 1)
    assert care(clinic) == {clinic.dr_dee.pk}
    told = Message.objects.filter(kind="appointment_changed").values_list("object_id", flat=True)
    assert set(told) == {each.pk for each in leaving}
    assert acts().count(Act.APPOINTMENT_REASSIGNED) == 2
    assert moved(clinic, clinic.dr_dee) == []
    services.book(**clinic.wish(30))
    assert overlaps() == 0


def test_the_first_who_can_takes_it_and_the_rest_says_why(clinic: Clinic, leaving: list[Appointment], make_account: MakeAccount) -> None:
    eve = provider(make_account("provider"), "Eve")
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk, "practitioner_id": clinic.dr_dee.pk})
    expected = [(eve.pk, ["slot_taken"]), (clinic.dr_dee.pk, [])]
    assert moved(clinic, clinic.dr_dee, eve) == expected
    assert moved(clinic, clinic.dr_dee, apply=True) == [(None, ["slot_taken"]), (clinic.dr_dee.pk, [])]
    assert moved(clinic, eve, apply=True) == [(eve.pk, [])]


def test_two_at_one_time_do_not_both_go_to_one_colleague(clinic: Clinic, leaving: list[Appointment], make_account: MakeAccount) -> None:
    over = services.Overbooking("urgent", "Cannot wait")
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk, "overbooking": over})
    planned = moved(clinic, clinic.dr_dee)
    assert sorted(why for _, why in planned) == [[], [], ["slot_taken"]]
    assert moved(clinic, clinic.dr_dee, apply=True) == planned
    assert overlaps() == 0


def test_whoever_is_not_there_or_not_licensed_takes_nothing(clinic: Clinic, leaving: list[Appointment], make_account: MakeAccount) -> None:
    License.objects.filter(practitioner=clinic.dr_dee).delete()
    away = Practitioner.objects.create(account_id=make_account("provider").id, family="Away", timezone=ZONE)
    License.objects.create(practitioner=away, state="MA", valid_from=now().date() - timedelta(days=9))
    assert moved(clinic, clinic.dr_dee, away) == [(None, ["not_licensed", "outside_hours"])] * 2


def test_what_is_held_or_in_a_group_stays(clinic: Clinic) -> None:
    services.hold(**clinic.wish(), until=now() + timedelta(minutes=5))
    kind = services.define_visit_type(code="group", name="Group", minutes=60, capacity=2, by=SYSTEM)
    group = {"practitioner_id": clinic.dr_cho.pk, "visit_type": kind.code, "starts_at": clinic.start(60)}
    services.plan_group_visit(**group, by=clinic.desk.by)
    services.book(**group, patient_id=clinic.ned_record.pk, by=clinic.desk.by)
    assert moved(clinic, clinic.dr_dee, apply=True) == [(None, ["held"]), (None, ["in_a_group"])]


def test_lead_time_does_not_count_for_what_was_agreed_on(clinic: Clinic, leaving: list[Appointment]) -> None:
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes={"lead_minutes": 7 * 24 * 60}, by=SYSTEM)
    assert {to for to, _ in moved(clinic, clinic.dr_dee, apply=True)} == {clinic.dr_dee.pk}


def test_who_may_and_who_can_be_named(clinic: Clinic, make_account: MakeAccount) -> None:
    cho, dee = clinic.dr_cho.pk, clinic.dr_dee.pk
    for to in ([], [cho], [dee, dee]):
        with pytest.raises(ReassignmentOdd):
            services.reassign(from_id=cho, to_ids=to, by=clinic.desk.by)
    for who in (clinic.cho, clinic.pia, make_account("nurse")):
        with pytest.raises(Refused):
            services.reassign(from_id=cho, to_ids=[dee], by=who.by)


def test_by_rest(clinic: Clinic, leaving: list[Appointment], client_for: ClientFor, make_account: MakeAccount) -> None:
    path, asked = f"/api/v1/practitioners/{clinic.dr_cho.pk}/reassign/", {"to": [str(clinic.dr_dee.pk)]}
    office = client_for(make_account("administrator"))
    planned = office.post(path, asked)
    assert (planned.status_code, body(planned)["done"]) == (200, False)
    assert Appointment.objects.filter(practitioner=clinic.dr_cho).count() == 2
    done = client_for(clinic.desk).post(path, asked | {"dry_run": False})
    assert body(done) == {"moves": body(planned)["moves"], "done": True}
    assert client_for(clinic.cho).post(path, asked).status_code == 404


def test_by_the_command(clinic: Clinic, leaving: list[Appointment]) -> None:
    def run(*more: str) -> list[dict[str, object]]:
        out = StringIO()
        arguments = ("--from", str(clinic.dr_cho.pk), "--to", str(clinic.dr_dee.pk), *more)
        call_command("reassign_appointments", *arguments, stdout=out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    planned = run()
    assert planned[-1] == {"applied": False, "moved": 2, "left": 0}
    assert run("--apply")[:-1] == planned[:-1]
    assert run("--apply")[-1] == {"applied": True, "moved": 0, "left": 0}
    with pytest.raises(CommandError, match="reassignment_odd"):
        call_command("reassign_appointments", "--from", str(clinic.dr_cho.pk), "--to", str(clinic.dr_cho.pk))
