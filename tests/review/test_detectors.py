"""Each detector speaks when it should and is silent when not; none of them opens anything."""

from datetime import datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, current, record, unit, uuid7
from audit.review.detectors.habits import NEWCOMER, is_open, limit_of
from audit.review.detectors.names import staff_of, surnames
from audit.review.models import REVIEW, Finding
from scheduling.services import open_hours
from telehealth.accounts.access import Role
from telehealth.accounts.models import User
from telehealth.core import now
from telehealth.records.models import CareRelationship, CareSource, Patient, Practitioner
from telehealth.records.services import link_staff, unlink_staff
from telehealth.vault import record_keys
from telehealth.vault.models import RecordKey
from tests.audit.seeding import seeded
from tests.cast import id_of, make_actor, make_patient
from tests.review.conftest import Clinic

pytestmark = pytest.mark.django_db(transaction=True)


def cared_for(patient: Patient, practitioner: Practitioner) -> None:
    CareRelationship.objects.create(
        patient=patient, practitioner=practitioner, source=CareSource.ASSIGNMENT, source_id=uuid7(), starts_at=now() - timedelta(hours=1)
    )


def with_care(clinic: Clinic, *patients: Patient) -> None:
    for patient in patients or (clinic.cast.pia_record, clinic.cast.ned_record):
        cared_for(patient, clinic.cast.cho)
        cared_for(patient, clinic.cast.dee)


def test_a_look_with_a_reason_is_no_finding_and_patients_are_not_watched(clinic: Clinic) -> None:
    cast = clinic.cast
    with_care(clinic, cast.pia_record)
    clinic.look(cast.dr_cho, cast.pia_record)
    clinic.look(cast.nan, cast.pia_record)
    clinic.look(cast.pia, cast.pia_record)
    clinic.look(cast.gus, cast.pia_record)
    assert clinic.review() == set()


@pytest.mark.parametrize("way", ["link", "names"])
def test_ones_own_record(clinic: Clinic, way: str) -> None:
    cast = clinic.cast
    own = make_patient("Cho", "Ána Maria", phone="617-555-0199") if way == "names" else cast.pia_record
    with_care(clinic, own)
    if way == "link":
        link_staff(patient_id=own.pk, account_id=id_of(cast.dr_cho), by=cast.desk)
    clinic.look(cast.dr_cho, own)
    clinic.look(cast.dr_dee, cast.ned_record)
    assert {each for each in clinic.review() if each[1] == "dr_cho"} == {("own_record", "dr_cho", "pia" if way == "link" else "another")}
    assert Finding.objects.get(actor_id=cast.dr_cho.id).facts == {"by": way}


def test_what_is_linked_no_longer_is_not_ones_own(clinic: Clinic) -> None:
    cast = clinic.cast
    with_care(clinic)
    link = link_staff(patient_id=cast.pia_record.pk, account_id=id_of(cast.dr_cho), by=cast.desk)
    unlink_staff(staff_record_id=link.pk, by=cast.desk)
    clinic.look(cast.dr_cho, cast.pia_record)
    assert clinic.review() == set()


@pytest.mark.parametrize(
    ("family", "same"),
    [("Cho", True), ("CHÓ", True), ("Cho-Blackthorn", True), ("de la Cho", True), ("Chou", False), ("Choate", False), ("Ch", False)],
)
def test_the_same_surname(clinic: Clinic, family: str, same: bool) -> None:
    relative = make_patient(family, "Somebody", phone="617-555-0199")
    with_care(clinic, relative)
    clinic.look(clinic.cast.dr_cho, relative)
    assert clinic.review() == ({("same_surname", "dr_cho", "another")} if same else set())


def test_surnames_that_differ_behind_their_fifth_letter_differ(clinic: Clinic) -> None:
    """The keyed tokens are of five letters: the vault has the last word."""
    cast = clinic.cast
    Practitioner.objects.filter(pk=cast.cho.pk).update(family="Blackwood")
    for family in ("Blackthorn", "Blackwood"):
        other = make_patient(family, "Somebody", phone="617-555-0199")
        with_care(clinic, other)
        clinic.look(cast.dr_cho, other)
        assert bool(clinic.review()) == (family == "Blackwood")


@pytest.mark.parametrize(
    ("there", "same"),
    [
        ({"line": "9 North Elm Street, Apt. 4", "postal_code": "02169"}, True),
        ({"line": "9 N ELM ST APARTMENT 4", "postal_code": "02169-1234", "city": "Boston"}, True),
        ({"line": "9 N Elm St Apt 5", "postal_code": "02169"}, False),
        ({"line": "9 North Elm Street, Apt. 4", "postal_code": "02170"}, False),
        ({"line": "", "postal_code": "02169"}, False),
    ],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_the_same_address(clinic: Clinic, there: dict[str, str], same: bool, indexed: bool) -> None:
    """Of one of the staff who is a patient too; also of rows that were written before there was an index."""
    cast = clinic.cast
    own = make_patient("Other", "Name", mrn="own", address={"line": "9 North Elm Street, Apt. 4", "postal_code": "02169"})
    home = make_patient("Housemate", "Of", mrn="there", address=there)
    link_staff(patient_id=own.pk, account_id=id_of(cast.nan), by=cast.desk)
    with_care(clinic, home)
    if not indexed:
        forget_index(home)
    clinic.look(cast.nan, home)
    assert clinic.review() == ({("same_address", "nan", "another")} if same else set())


def forget_index(patient: Patient) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_patient SET address_index = NULL WHERE id = %s", [patient.pk])


def test_no_address_is_not_the_same_address(clinic: Clinic) -> None:
    cast = clinic.cast
    own, other = (make_patient("Some", "One", mrn=mrn, address={"line": "", "postal_code": "02169"}) for mrn in "ab")
    link_staff(patient_id=own.pk, account_id=id_of(cast.nan), by=cast.desk)
    with_care(clinic, other)
    clinic.look(cast.nan, other)
    assert clinic.review() == set()


@pytest.mark.parametrize("way", ["link", "names"])
def test_a_colleague(clinic: Clinic, way: str) -> None:
    cast = clinic.cast
    patient = make_patient("Dee", "Ben", phone="617-555-0199") if way == "names" else cast.pia_record
    if way == "link":
        link_staff(patient_id=patient.pk, account_id=id_of(cast.biller), by=cast.privacy)
    with_care(clinic, patient)
    clinic.look(cast.dr_cho, patient)
    assert clinic.review() == {("colleague", "dr_cho", "pia" if way == "link" else "another")}


def test_somebody_without_care_relationship(clinic: Clinic) -> None:
    cast = clinic.cast
    cared_for(cast.pia_record, cast.cho)
    for actor in (cast.dr_cho, cast.dr_dee, cast.nan, cast.desk):
        clinic.look(actor, cast.pia_record)
    clinic.look(cast.desk, cast.ned_record)
    assert clinic.review() == {("no_relationship", "dr_dee", "pia"), ("no_relationship", "desk", "ned")}


def test_care_that_ended_before_is_none(clinic: Clinic) -> None:
    cast = clinic.cast
    cared_for(cast.pia_record, cast.cho)
    CareRelationship.objects.update(ends_at=now() - timedelta(minutes=10))
    clinic.look(cast.dr_cho, cast.pia_record)
    assert clinic.review() == {("no_relationship", "dr_cho", "pia")}


def test_work_on_the_record_is_a_reason_for_the_desk_but_not_for_a_provider(clinic: Clinic) -> None:
    cast = clinic.cast
    for actor in (cast.desk, cast.dr_dee):
        with unit(actor, channel="portal"):
            assert Patient.objects.get(pk=cast.pia_record.pk).family
            record(actor, Act.PATIENT_INVITED, record_id=cast.pia_record.pk)
    assert clinic.review() == {("no_relationship", "dr_dee", "pia")}


def test_one_line_of_a_list_is_no_look_of_its_own(clinic: Clinic) -> None:
    cast = clinic.cast
    with unit(cast.biller, channel="REST"):
        assert [each.family for each in Patient.objects.all()]
    assert clinic.review() == set()


@pytest.mark.parametrize("purpose", ["BTG", "ETREAT"])
def test_emergency_access_always(clinic: Clinic, purpose: str) -> None:
    cast = clinic.cast
    cared_for(cast.pia_record, cast.cho)
    clinic.look(cast.dr_cho, cast.pia_record, purpose=purpose)
    assert clinic.review() == {("emergency", "dr_cho", "pia")}
    finding = Finding.objects.get()
    assert finding.due_at is not None
    assert timedelta(hours=23) < finding.due_at - now() <= timedelta(hours=24)


def test_an_act_in_an_emergency_is_found_without_any_opening(clinic: Clinic) -> None:
    cast = clinic.cast
    with unit(cast.dr_dee, channel="REST", purpose="BTG"):
        record(cast.dr_dee, Act.NOTE_DRAFTED, record_id=cast.ned_record.pk)
    assert clinic.review() == {("emergency", "dr_dee", "ned")}


@pytest.mark.parametrize(
    ("habit", "limit"),
    [
        ([], NEWCOMER),
        ([5] * 4, NEWCOMER),
        ([5] * 20, 30),
        ([40] * 20, 80),
        ([10, 100] * 10, 322),  # whose days are wild has a wide habit
        ([40] * 20 + [4000], 80),  # one wild day does not make the next one usual
    ],
)
def test_what_is_usual_for_somebody(habit: list[int], limit: int) -> None:
    assert limit_of(habit) == limit


def open_records(clinic: Clinic, count: int) -> None:
    with unit(clinic.cast.nan, channel="REST") as here:
        for _ in range(count):
            here.open(uuid4(), "records.Patient", uuid4(), "family")


@pytest.mark.parametrize(("count", "found"), [(NEWCOMER, False), (NEWCOMER + 1, True)])
def test_more_records_than_a_newcomer_opens(clinic: Clinic, count: int, found: bool) -> None:
    open_records(clinic, count)
    assert clinic.review() == ({("volume", "nan", "-")} if found else set())


def test_more_records_than_on_ones_other_days(clinic: Clinic) -> None:
    """Beyond the actor's own habit, which the log of four weeks shows: 40 a day, so that 70 are usual and 120 are not."""
    nurse = id_of(clinic.cast.nan)
    with seeded(40 * 30 * 17 // 12, months=1, until=now() - timedelta(days=1), actors=[nurse], records=[uuid4() for _ in range(5_000)]):
        open_records(clinic, 70)
        assert ("volume", "nan", "-") not in clinic.review()
        open_records(clinic, 50)
        assert ("volume", "nan", "-") in clinic.review()
        facts = Finding.objects.get(record=REVIEW).facts
    assert facts["opened"] >= 120 > facts["limit"] > 70


def test_off_hours(clinic: Clinic, settings: Settings) -> None:
    cast = clinic.cast
    settings.CLINIC_DAYS = set()
    with_care(clinic)
    open_hours(practitioner_id=cast.dee.pk, rrule="FREQ=DAILY", starts=time.min, ends=time.min, timezone="UTC", by=SYSTEM)
    for actor in (cast.dr_cho, cast.dr_dee, cast.pia):
        clinic.look(actor, cast.pia_record)
        clinic.look(actor, cast.ned_record)
    assert clinic.review() == {("off_hours", "dr_cho", "-")}  # dr_dee has hours, pia is at home
    assert Finding.objects.get().facts == {"opened": 2}


@pytest.mark.parametrize(
    ("opens", "closes", "days", "at", "is_so"),
    [
        ("07:00", "20:00", {0, 1, 2, 3, 4}, "2026-11-20T07:00", True),  # a Friday
        ("07:00", "20:00", {0, 1, 2, 3, 4}, "2026-11-20T06:59", False),
        ("07:00", "20:00", {0, 1, 2, 3, 4}, "2026-11-20T20:00", False),
        ("07:00", "20:00", {0, 1, 2, 3, 4}, "2026-11-21T12:00", False),
        ("18:00", "02:00", {4}, "2026-11-21T01:59", True),  # Friday's night
        ("18:00", "02:00", {4}, "2026-11-20T01:59", False),
        ("00:00", "00:00", {0, 1, 2, 3, 4, 5, 6}, "2026-11-21T03:00", True),
    ],
)
def test_when_the_clinic_is_open(settings: Settings, opens: str, closes: str, days: set[int], at: str, is_so: bool) -> None:
    settings.CLINIC_OPENS, settings.CLINIC_CLOSES, settings.CLINIC_DAYS = opens, closes, days
    settings.CLINIC_TIME_ZONE = "America/New_York"
    assert is_open(datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("America/New_York"))) is is_so


def test_everything_at_once_opens_nothing(clinic: Clinic, settings: Settings) -> None:
    """Names and addresses are compared without one entry that says that the system opened a record."""
    cast = clinic.cast
    before = clinic.opened_by_the_system()
    settings.CLINIC_DAYS = set()
    link_staff(patient_id=cast.ned_record.pk, account_id=id_of(cast.nan), by=cast.desk)  # the same address as pia's
    namesake = make_patient("Cho", "Other", phone="617-555-0198")
    himself = make_patient("Dee", "Ben", phone="617-555-0197")
    for actor in (cast.dr_cho, cast.dr_dee, cast.nan):
        for patient in (cast.pia_record, cast.ned_record, namesake, himself):
            clinic.look(actor, patient, purpose="BTG")
            clinic.look(actor, patient)
    open_records(clinic, NEWCOMER + 1)
    causes = clinic.review()
    assert {cause for cause, _, _ in causes} == {
        "own_record", "same_surname", "same_address", "colleague", "no_relationship", "volume", "off_hours", "emergency",
    }  # fmt: skip
    assert current().openings == {}
    assert clinic.opened_by_the_system() == before


def test_reading_the_notes_of_a_finding_is_no_look(clinic: Clinic) -> None:
    with unit(clinic.cast.privacy, channel="admin") as here:
        here.open(clinic.cast.pia_record.pk, "review.Finding", uuid4(), "note")
        here.open(REVIEW, "review.Finding", uuid4(), "note")
    assert clinic.review() == set()


def test_a_record_whose_key_is_gone_stops_nothing(clinic: Clinic) -> None:
    cast = clinic.cast
    gone = make_patient("Cho", "Ana", phone="617-555-0199")
    with_care(clinic, gone, cast.pia_record)
    clinic.look(cast.dr_cho, gone)
    clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
    drop_key(gone)
    assert clinic.review() == {("emergency", "dr_dee", "pia")}


def drop_key(patient: Patient) -> None:
    RecordKey.objects.filter(record_id=patient.pk).delete()
    record_keys.cache.clear()


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [("Dr. Ana de la Cruz, MD", {"cruz"}, {"ana"}), ("Nan", {"nan"}, set()), ("Mary Smith-Jones", {"smith", "jones"}, {"mary"})],
)
def test_the_name_of_an_account(name: str, family: set[str], given: set[str]) -> None:
    staff = staff_of(uuid4(), "", "", name)
    assert (staff.family, staff.given) == (family, given)
    assert surnames("de la") == {"de", "la"}


def test_staff_who_left_are_neither_watched_by_name_nor_colleagues(clinic: Clinic) -> None:
    cast = clinic.cast
    patient = make_patient("Leaver", "Lou", phone="617-555-0199")
    left = make_actor("Lou Leaver", Role.NURSE, email="lou@example.org")
    User.objects.filter(pk=left.id).update(is_active=False)
    with_care(clinic, patient)
    clinic.look(cast.dr_cho, patient)
    assert clinic.review() == set()
