"""Joining the waiting list, and leaving it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from scheduling import rules
from scheduling.errors import AlreadyWaiting, NotWaiting, PatientDeceased, UnknownTimezone, WindowOdd
from scheduling.hours import ZONES
from scheduling.models import WaitlistEntry, WaitlistOffer
from scheduling.selectors import licensure, waitlist
from scheduling.selectors.eligible import turned_away
from scheduling.selectors.offers import visit_type_of
from scheduling.services.changing import for_change, freed
from scheduling.services.holding import release_hold
from scheduling.services.wishes import provider
from scheduling.statuses import OfferState, Status, Urgency, WaitlistStatus
from telehealth.accounts.access import Action, Resource
from telehealth.core import constraint, lock, now, one
from telehealth.records.access import visible
from telehealth.records.models import Patient


@transaction.atomic
def join_waitlist(
    *,
    patient_id: UUID,
    visit_type: str,
    latest: datetime,
    by: Actor,
    practitioner_id: UUID | None = None,
    earliest: datetime | None = None,
    parts_of_day: Sequence[str] = (),
    timezone: str = "UTC",
    urgency: int = Urgency.ROUTINE,
    state: str = "",
    note: str = "",
) -> WaitlistEntry:
    """Wait for a start before `latest`. AlreadyWaiting for the same with the same provider; WindowOdd for what is over.

    How urgent it is staff say: what the patient's side asks for waits as routine. StateUnknown as in booking, and so are
    StaffOnly, EstablishedOnly, NewOnly: the clinic holds what is offered, and asks nobody then whether it is for them.
    """
    patient = one(Patient.objects.with_keys().filter(visible(by, Action.CREATE, Resource.WAITLIST, "")), patient_id)
    if patient.is_deceased:
        raise PatientDeceased(patient=patient.pk)
    kind = visit_type_of(visit_type)
    if why := turned_away(by, kind, patient.pk):
        raise why()
    if timezone not in ZONES:
        raise UnknownTimezone()
    earliest = earliest or now()
    if latest <= max(earliest, now()):
        raise WindowOdd()
    entry = WaitlistEntry(
        patient=patient,
        visit_type=kind,
        practitioner=provider(practitioner_id) if practitioner_id else None,
        earliest=earliest,
        latest=latest,
        parts_of_day=list(parts_of_day),
        timezone=timezone,
        urgency=Urgency.ROUTINE if rules.is_of_the_patient(by) else urgency,
        patient_state=licensure.place_of(patient, state),
        note=note,
        created_by=by.id,
    )
    with constraint("waitlist_once_at_a_time", AlreadyWaiting):
        entry.save(force_insert=True)
    record(by, Act.WAITLIST_JOINED, entry)
    freed()  # it may be there already
    return entry


@transaction.atomic
def leave_waitlist(*, entry_id: UUID, by: Actor) -> WaitlistEntry:
    """Wait no longer; what is held for them is let go. A repeat changes nothing; NotWaiting once it has come to a booking."""
    lock(waitlist.waitlist_entry_for(by, entry_id, Action.ACT).pk)
    entry = waitlist.waitlist_entry_for(by, entry_id, Action.ACT)
    if entry.status == WaitlistStatus.WITHDRAWN:
        return entry
    if entry.status not in (WaitlistStatus.WAITING, WaitlistStatus.OFFERED):
        raise NotWaiting()
    for offer in WaitlistOffer.objects.filter(entry=entry, state=OfferState.OPEN):
        held = for_change(offer.appointment_id, by=SYSTEM)
        if held.status not in (Status.PENDING, Status.CANCELLED):
            raise NotWaiting()  # confirmed as any held time is, and not settled yet
        if held.status == Status.PENDING:
            release_hold(appointment_id=held.pk, by=SYSTEM)
        close(offer, OfferState.DECLINED)
    stand(entry, WaitlistStatus.WITHDRAWN)
    record(by, Act.WAITLIST_LEFT, entry, reason="withdrawn")
    return entry


@transaction.atomic
def give_up_waiting(*, entry_id: UUID, by: Actor = SYSTEM) -> bool:
    """For the clock: the time for which they waited is over."""
    lock(entry_id)
    if entry_id not in waitlist.waited_in_vain(by):
        return False
    entry = WaitlistEntry.objects.get(pk=entry_id)
    stand(entry, WaitlistStatus.EXPIRED)
    record(by, Act.WAITLIST_LEFT, entry, reason="expired")
    return True


def close(offer: WaitlistOffer, state: OfferState) -> None:
    """Answered, or run out. The entry's lock is held."""
    offer.state, offer.answered_at = state, now()
    offer.save(update_fields=["state", "answered_at"])


def stand(entry: WaitlistEntry, status: WaitlistStatus) -> None:
    """The entry's lock is held."""
    entry.status = status
    entry.save(update_fields=["status"])
