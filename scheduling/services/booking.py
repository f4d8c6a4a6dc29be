from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import PatientBusy, PatientDeceased, SlotTaken, UnknownPractitioner
from scheduling.models import Appointment, VisitType
from scheduling.selectors import licensure
from scheduling.selectors.offers import visit_type_of
from scheduling.selectors.starts import check_start
from scheduling.services.occupying import is_busy, occupy, sweep_expired_holds
from telehealth.accounts.access import Action, Resource
from telehealth.core import lock, one, permit
from telehealth.outbox.services import notify
from telehealth.records.access import visible
from telehealth.records.models import Patient, Practitioner
from telehealth.records.services import begin_care


@dataclass(frozen=True)
class Overbooking:
    """Why staff put a visit where the provider is not free: a code, and a sentence that is kept sealed."""

    code: str
    reason: str


@transaction.atomic
def book(
    *,
    patient_id: UUID,
    practitioner_id: UUID,
    visit_type: str,
    starts_at: datetime,
    by: Actor,
    reason: str = "",
    overbooking: Overbooking | None = None,
    state: str = "",
) -> Appointment:
    """Promise the time to both parties, or raise SlotTaken or PatientBusy. The lock orders us; the constraint decides.

    Refuses starts that `selectors.slots` would not offer (TooSoon, BeyondHorizon, OutsideHours, StartMisaligned) and
    patients who have died. NotLicensed unless the provider may practise in `state` then, else in that of the patient's
    address (StateUnknown). Overbooking asks nothing of the provider's time; it is a staff act and names who and why.
    Begins the care relationship and tells the patient.
    """
    patient = one(_bookable(by), patient_id)
    practitioner = _provider(practitioner_id)
    kind = visit_type_of(visit_type)
    if overbooking:
        permit(by, rules.may_overbook, patient)
    if patient.is_deceased:
        raise PatientDeceased(patient=patient.pk)
    check_start(kind, practitioner, starts_at, anywhere=overbooking is not None)
    there = licensure.checked(practitioner, patient, state, starts_at)
    lock(patient.pk, practitioner.pk)
    sweep_expired_holds(patient.pk, practitioner.pk)
    appointment = _appointment(patient, practitioner, kind, starts_at, reason, overbooking, by, there)
    _take(appointment)
    _record(appointment, by)
    lasts_until = appointment.ends_at + timedelta(days=settings.CARE_DAYS_AFTER_VISIT)
    begin_care(
        patient_id=patient.pk, practitioner_id=practitioner.pk, source="appointment", source_id=appointment.pk, ends_at=lasts_until, by=by
    )
    if patient.account_id:
        notify(person_id=patient.account_id, kind="appointment_booked", about_id=appointment.pk)
    return appointment


def _bookable(by: Actor) -> QuerySet[Patient]:
    allowed = visible(by, Action.CREATE, Resource.APPOINTMENT, "")
    return Patient.objects.with_keys().filter(allowed).only("pk", "account_id", "is_deceased", "address")


def _provider(pk: UUID) -> Practitioner:
    found = Practitioner.objects.filter(pk=pk).exclude(account_id=None).first()
    if found is None:
        raise UnknownPractitioner()
    return found


def _appointment(
    patient: Patient,
    practitioner: Practitioner,
    kind: VisitType,
    starts_at: datetime,
    reason: str,
    overbooking: Overbooking | None,
    by: Actor,
    state: str,
) -> Appointment:
    over = {"overbooked_by": by.id, "overbooked_code": overbooking.code, "overbooked_reason": overbooking.reason} if overbooking else {}
    return Appointment.objects.create(
        patient=patient,
        practitioner=practitioner,
        visit_type=kind,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=kind.minutes),
        reason=reason,
        patient_state=state,
        created_by=by.id,
        **over,
    )


def _take(appointment: Appointment) -> None:
    try:
        occupy(appointment)
    except SlotTaken as taken:
        # Whose time it was is asked only now: the way that works pays nothing for it.
        if is_busy(appointment.patient_id, appointment.starts_at, appointment.ends_at):
            raise PatientBusy() from taken
        raise


def _record(appointment: Appointment, by: Actor) -> None:
    if appointment.is_overbooked:
        record(by, Act.APPOINTMENT_OVERBOOKED, appointment, reason=appointment.overbooked_code)
    record(by, Act.APPOINTMENT_BOOKED, appointment, detail={"practitioner": str(appointment.practitioner_id)})
