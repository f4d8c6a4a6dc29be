"""What is offered to somebody can be booked by them: by where they will be, who they are, and who still works here."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from audit.ledger import SYSTEM, Actor
from scheduling import selectors, services
from scheduling.errors import NotLicensed, PatientDeceased, UnknownPractitioner
from scheduling.models import VisitType
from telehealth.accounts.models import User
from telehealth.core import now
from telehealth.records.models import License, Patient
from tests.scheduling.conftest import ZONE, Clinic


def offering(clinic: Clinic, by: Actor, patient_id: UUID | None = None, state: str = "") -> set[UUID]:
    window = {"since": clinic.start(), "until": clinic.start(60)}
    found = selectors.slots(by, visit_type="video-10", patient_id=patient_id, zone=ZoneInfo(ZONE), state=state, **window)
    return {UUID(int=who) for _, who in found.offers}


def test_a_patient_whose_state_is_known_is_offered_nobody_who_may_not_treat_them_there(clinic: Clinic) -> None:
    License.objects.filter(practitioner=clinic.dr_cho).update(state="VT")
    with pytest.raises(NotLicensed):
        services.book(**clinic.wish(by=clinic.pia.by))
    assert offering(clinic, clinic.pia.by) == {clinic.dr_dee.pk}
    assert offering(clinic, clinic.desk.by, clinic.pia_record.pk) == {clinic.dr_dee.pk}
    assert offering(clinic, clinic.pia.by, state="VT") == {clinic.dr_cho.pk}
    assert offering(clinic, clinic.desk.by) == {clinic.dr_cho.pk, clinic.dr_dee.pk}  # for nobody yet


@pytest.mark.parametrize("facts", [{"is_active": False}, {"role_until": now() - timedelta(minutes=1)}])
def test_who_may_not_sign_in_any_more_is_neither_offered_nor_booked(clinic: Clinic, facts: dict[str, object]) -> None:
    User.objects.filter(pk=clinic.cho.id).update(**facts)
    assert offering(clinic, clinic.desk.by) == {clinic.dr_dee.pk}
    with pytest.raises(UnknownPractitioner):
        services.book(**clinic.wish())
    with pytest.raises(UnknownPractitioner):
        services.reassign(from_id=clinic.dr_dee.pk, to_ids=[clinic.dr_cho.pk], by=SYSTEM)
    assert services.reassign(from_id=clinic.dr_cho.pk, to_ids=[clinic.dr_dee.pk], by=SYSTEM) == []


def test_the_dead_are_offered_nothing(clinic: Clinic) -> None:
    Patient.objects.filter(pk=clinic.pia_record.pk).update(is_deceased=True)
    assert offering(clinic, clinic.desk.by, clinic.pia_record.pk) == set()
    with pytest.raises(PatientDeceased):
        services.book(**clinic.wish())


def test_what_the_clinic_holds_for_them_is_not_counted(clinic: Clinic) -> None:
    until = now() + timedelta(minutes=5)
    services.hold(**clinic.wish(by=SYSTEM), until=until)
    for n in range(1, 4):
        services.hold(**clinic.wish(n * 10, by=clinic.pia.by), until=until)
    assert VisitType.objects.get(code="video-10").appointments.filter(status="pending").count() == 4
