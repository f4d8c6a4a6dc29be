"""The provider conducts the visit; anybody may leave."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.ledger import Act, Actor, record
from consults import rules, selectors
from consults.errors import NoteNotSigned
from consults.mailboxes import desk
from consults.models import Participant, Visit
from consults.services import steps
from consults.services.opening import licensed_there
from consults.services.seating import part
from consults.states import Event, may
from telehealth.accounts.access import Action
from telehealth.core import permit

PATIENT_SIDE = ~Q(role=Participant.Role.PROVIDER)


def _conducted(visit_id: UUID, by: Actor) -> Visit:
    visit = steps.locked(selectors.visits_for(by, Action.ACT), visit_id)
    permit(by, rules.may_conduct, visit)
    return visit


@transaction.atomic
def admit(*, visit_id: UUID, by: Actor) -> Visit:
    """Let in everybody of the patient's side who has a place now; one who comes later is admitted again.

    NotLicensedThere when the provider may not practise, or no longer, in the state that was given at check-in; a call that
    has begun goes on.
    """
    visit = _conducted(visit_id, by)
    visit.participants.filter(PATIENT_SIDE).update(admitted=True)
    steps.move(visit, Event.ADMIT, by=by)
    if visit.started_at is None:
        licensed_there(visit, (visit.location or {}).get("state", ""), by)
    record(by, Act.VISIT_ADMITTED, visit)
    return visit


@transaction.atomic
def hold(*, visit_id: UUID, by: Actor) -> Visit:
    """Back to the waiting room, out of the call; a technical pause of a call in progress is Encounter onleave."""
    visit = _conducted(visit_id, by)
    visit.participants.filter(PATIENT_SIDE).update(admitted=False)
    steps.move(visit, Event.HOLD, by=by)
    part(visit, PATIENT_SIDE)
    record(by, Act.VISIT_HELD, visit)
    return visit


@transaction.atomic
def remove(*, visit_id: UUID, by: Actor) -> Visit:
    """Out of this visit for good. Before a call the encounter is cancelled; after one it is left to be wrapped up."""
    visit = _conducted(visit_id, by)
    visit.participants.filter(PATIENT_SIDE).update(admitted=False)
    steps.move(visit, Event.REMOVE, by=by)
    part(visit, PATIENT_SIDE)
    record(by, Act.VISIT_REMOVED, visit)
    return visit


@transaction.atomic
def complete(*, visit_id: UUID, by: Actor) -> Visit:
    """Finished; needs a note that its provider signed. Everybody still connected is shown out."""
    visit = _conducted(visit_id, by)
    if not selectors.has_signed_note(by, visit.pk):
        raise NoteNotSigned
    steps.move(visit, Event.COMPLETE, by=by)
    part(visit, Q())
    record(by, Act.VISIT_COMPLETED, visit)
    return visit


@transaction.atomic
def leave(*, visit_id: UUID, by: Actor) -> Visit:
    """Go: out of the call for whoever is in it, out of the waiting room for the patient's side."""
    visit = steps.locked(selectors.visits_for(by, Action.ACT), visit_id)
    permit(by, rules.may_take_part, visit)
    mine = Q(account_id=by.id)
    part(visit, mine)
    if not rules.may_conduct(by, visit) and may(visit.state, Event.ABANDON):
        steps.move(visit, Event.ABANDON, by=by)
    record(by, Act.VISIT_LEFT, visit)
    for member in visit.participants.filter(mine).values_list("pk", flat=True):
        transaction.on_commit(partial(desk.dismiss, visit.pk, member), robust=True)
    return visit
