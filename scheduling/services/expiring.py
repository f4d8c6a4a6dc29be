"""Holds that ran out give their time back: when somebody wants the time, and by the clock. No face calls this."""

from uuid import UUID

from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from scheduling.models import Appointment, Occupancy
from scheduling.services.changing import freed
from scheduling.statuses import CancelReason, Status
from telehealth.core import lock, now


def sweep_expired_holds(*parties: UUID) -> None:
    """Under the parties' locks, so that nobody confirms one meanwhile: who changes a hold has the locks of all its parties."""
    ran_out = Occupancy.objects.filter(party__in=parties, live=True, held_until__lte=now())
    if found := set(ran_out.values_list("appointment_id", flat=True)):
        _let_go(found)


def _let_go(found: set[UUID]) -> None:
    """In id order: another party of a hold may be at it too."""
    Occupancy.objects.filter(appointment__in=found, live=True, held_until__lte=now()).update(live=False)
    for each in Appointment.objects.select_for_update(of=("self",)).filter(pk__in=found, status=Status.PENDING).order_by("pk"):
        release(each, CancelReason.HOLD_EXPIRED, by=SYSTEM)


def release(appointment: Appointment, reason: CancelReason, *, by: Actor) -> None:
    """A hold is let go. Nobody was told of it, so nobody is told now."""
    appointment.status, appointment.cancelled_reason = Status.CANCELLED, reason
    appointment.version += 1
    appointment.save(update_fields=["status", "cancelled_reason", "version"])
    Occupancy.objects.filter(appointment=appointment, live=True).update(live=False)
    record(by, Act.APPOINTMENT_HOLD_RELEASED, appointment, reason=reason)
    freed()


def sweep_holds(*, by: Actor = SYSTEM) -> int:
    """For the clock: every hold that ran out, each in its own transaction; says how many they were."""
    ran_out = Occupancy.objects.filter(live=True, held_until__lte=now(), appointment__status=Status.PENDING)
    parties = dict[UUID, list[UUID]]()
    for appointment, party in ran_out.order_by("appointment_id").values_list("appointment_id", "party"):
        parties.setdefault(appointment, []).append(party)
    for each in parties.values():
        with transaction.atomic():
            lock(*each)
            sweep_expired_holds(*each)
    return len(parties)
