"""What keeps a record, whoever decided: legal holds, what is owed, what it is needed for."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import DatabaseError, transaction

from audit.ledger import Act
from audit.ledger.models import Entry
from audit.review.models import Disclosure
from scheduling.models import Appointment
from telehealth.core import now
from telehealth.records import services
from telehealth.records.errors import ActsForOthers, LegalHoldStands, StillNeeded
from telehealth.records.models import LegalHold, Patient, ProxyGrant
from telehealth.vault.models import RecordKey
from tests.conftest import AsOwner
from tests.consults.stage import appoint
from tests.records.house import House

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def test_a_legal_hold_stands_in_the_way_at_every_step(house: House, as_owner: AsOwner) -> None:
    hold = services.place_hold(patient_id=house.record, code="litigation", why="Quill v. Clinic", by=house.cast.privacy)
    with pytest.raises(LegalHoldStands):
        house.asked()
    services.lift_hold(hold_id=hold.pk, by=house.second)
    asked = house.asked()
    second = services.place_hold(patient_id=house.record, code="audit", why="An audit", by=house.cast.privacy)
    with pytest.raises(LegalHoldStands):
        services.approve_destruction(destruction_id=asked.pk, by=house.second)
    services.lift_hold(hold_id=second.pk, by=house.second)
    services.approve_destruction(destruction_id=asked.pk, by=house.second)
    third = services.place_hold(patient_id=house.record, code="audit", why="Another", by=house.cast.privacy)
    with pytest.raises(CommandError, match="legal_hold_stands"):
        house.shred()
    with pytest.raises(Exception, match="a legal hold keeps this record"):
        as_owner("DELETE FROM vault_recordkey WHERE record_id = %s", house.record)
    with pytest.raises(DatabaseError, match="a legal hold keeps this record"), transaction.atomic():
        RecordKey.objects.filter(record_id=house.record).delete()
    assert Patient.objects.get(pk=house.record).family == "Quill"
    services.lift_hold(hold_id=third.pk, by=house.cast.privacy)
    house.shred()
    assert not RecordKey.objects.filter(record_id=house.record).exists()
    acts = list(
        Entry.objects.filter(kind="records.LegalHold", record_id=house.record, act__startswith="hold.")
        .order_by("id")
        .values_list("act", flat=True)
    )
    assert acts == [Act.HOLD_PLACED, Act.HOLD_LIFTED] * 3


@pytest.mark.parametrize("how", ["UPDATE records_legalhold SET lifted_at = now(), lifted_by = placed_by", "DELETE FROM records_legalhold"])
def test_a_hold_that_was_not_lifted_in_the_ledger_stands(house: House, as_owner: AsOwner, how: str) -> None:
    """Lifted by SQL, or taken away: the record is kept all the same, and can be let go only by somebody's act."""
    house.approved()
    hold = services.place_hold(patient_id=house.record, code="litigation", why="Quill v. Clinic", by=house.cast.privacy)
    as_owner(how)
    with pytest.raises(CommandError, match="legal_hold_stands"):
        house.shred()
    assert Patient.objects.get(pk=house.record).family == "Quill"
    LegalHold.objects.update_or_create(
        pk=hold.pk,
        defaults={
            "patient_id": house.record,
            "code": "litigation",
            "why": "",
            "placed_by": house.second.id,
            "lifted_at": None,
            "lifted_by": None,
        },
    )
    services.lift_hold(hold_id=hold.pk, by=house.second)
    house.shred()
    assert not RecordKey.objects.filter(record_id=house.record).exists()


@pytest.mark.parametrize(("basis", "years", "needed"), [("public_health", 5, True), ("public_health", 7, False), ("treatment", 0, False)])
def test_a_record_stays_while_an_accounting_of_it_is_owed(house: House, basis: str, years: int, needed: bool) -> None:
    """45 CFR 164.528: what was disclosed is told for six years, and it is sealed with the record."""
    at = now() - timedelta(days=366 * years)
    Disclosure.objects.create(
        patient_id=house.record, at=at, source_kind="by_hand", recipient={"name": "County"}, what="w", purpose="p", basis=basis
    )
    before = Entry.objects.filter(act=Act.RECORD_OPENED, record_id=house.record).count()
    if needed:
        with pytest.raises(StillNeeded):
            house.asked()
    else:
        house.approved()
        house.shred()
    assert Patient.objects.filter(pk=house.record, destroyed_at=None).exists() is needed
    assert Entry.objects.filter(act=Act.RECORD_OPENED, record_id=house.record).count() == before


def test_what_left_after_the_approval_keeps_it_too(house: House) -> None:
    house.approved()
    Disclosure.objects.create(
        patient_id=house.record, source_kind="by_hand", recipient={"name": "County"}, what="w", purpose="p", basis="abuse"
    )
    with pytest.raises(CommandError, match="record_still_needed"):
        house.shred()


def test_a_record_that_is_needed_stays(house: House) -> None:
    appoint(house.cast.pia_record, house.cast.cho)
    with pytest.raises(StillNeeded):
        house.asked()
    assert Appointment.objects.exists()


def test_somebody_who_acts_for_another_stays(house: House) -> None:
    grant = ProxyGrant.objects.create(patient=house.cast.ned_record, proxy=house.cast.pia.account, relationship="guardian", starts_at=now())
    with pytest.raises(ActsForOthers):
        house.asked()
    grant.ends_at = now()
    grant.save()
    house.asked()
