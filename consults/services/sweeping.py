"""What the clock notices: participants who fell silent, patients who gave up waiting, appointments that are off."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.ledger import SYSTEM, Act, Actor, record
from consults.mailboxes import desk
from consults.models import Participant, Visit
from consults.services import steps
from consults.services.seating import depart
from consults.states import Appointment, Event, Waiting, may
from telehealth.core import now

GIVEN_UP_AFTER = timedelta(minutes=10)
SETTLED_AFTER = timedelta(seconds=60)
WAITS = (Waiting.CHECKING_IN, Waiting.READY, Waiting.HELD, Waiting.REDIRECTED, Waiting.ADMITTED)
OFF = {Appointment.CANCELLED: Event.CANCEL, Appointment.NO_SHOW: Event.NO_SHOW}


@transaction.atomic
def part_silent(*, visit_id: UUID, by: Actor = SYSTEM) -> None:
    """Those unheard of for half a minute are gone, and those whom Redis has forgotten."""
    silent = set(desk.silent(visit_id))
    settled = Q(joined_at__lt=now() - SETTLED_AFTER, left_at=None)
    connected = set(Participant.objects.filter(settled, visit_id=visit_id).values_list("pk", flat=True))
    gone = silent | (connected - set(desk.present(visit_id)))
    if gone:
        depart(visit_id=visit_id, members=sorted(gone), by=by)


@transaction.atomic
def abandon_silent(*, visit_id: UUID, by: Actor = SYSTEM) -> bool:
    """The patient's side has not been heard of for ten minutes while waiting."""
    visit = _taken(visit_id)
    patients = visit.participants.exclude(role=Participant.Role.PROVIDER).values_list("pk", flat=True)
    since = now() - GIVEN_UP_AFTER
    waited = visit.waiting in WAITS and visit.changed_at < since and may(visit.state, Event.ABANDON)
    if not waited or desk.last_heard(visit_id, patients) >= since.timestamp():
        return False
    visit.participants.filter(pk__in=list(patients)).update(admitted=False)
    steps.move(visit, Event.ABANDON, by=by)
    record(by, Act.VISIT_ABANDONED, visit)
    return True


@transaction.atomic
def follow_appointments(*, visit_id: UUID, by: Actor = SYSTEM) -> bool:
    """An appointment that was cancelled or missed takes its visit with it, unless the call has been."""
    visit = _taken(visit_id)
    event = OFF.get(visit.state.appointment)
    if event is None or not may(visit.state, event):
        return False
    steps.move(visit, event, by=by)
    record(by, Act.VISIT_CANCELLED, visit)
    return True


def _taken(visit_id: UUID) -> Visit:
    return steps.locked(Visit.objects.select_related("appointment", "practitioner"), visit_id)
