"""Holds that ran out give their time back: when somebody wants the time, and by the clock. No face calls this."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.ledger import SYSTEM, Act, Actor, record
from scheduling.models import Appointment, Occupancy
from scheduling.services.changing import freed, parties_of
from scheduling.statuses import CancelReason, Status
from telehealth.core import lock, now


def sweep_expired_holds(*parties: UUID, group_visit: UUID | None = None) -> bool:
    """Under the parties' locks, so that nobody confirms one meanwhile: who changes a hold has the locks of all its parties.

    In a group visit every place counts, under the lock of its provider. Says whether there were any.
    """
    whose = Q(party__in=parties) | Q(appointment__group_visit=group_visit) if group_visit else Q(party__in=parties)
    ran_out = Occupancy.objects.filter(whose, live=True, held_until__lte=now())
    found = set(ran_out.values_list("appointment_id", flat=True))
    if found:
        _let_go(found)
    return bool(found)


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
    found = set(ran_out.values_list("appointment_id", flat=True))
    for each in sorted(found):
        with transaction.atomic():
            parties = parties_of(each)
            lock(*parties)
            sweep_expired_holds(*parties)
    return len(found)
