"""What was found, for whom the access table lets see it."""

from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from audit.ledger import Actor
from audit.review.models import Finding, State
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.core import now, one


def findings_for(
    by: Actor,
    action: Action = Action.SEARCH,
    *,
    state: str = "",
    actor: UUID | None = None,
    record: UUID | None = None,
    overdue: bool = False,
) -> QuerySet[Finding]:
    """All findings, of one state, actor or record if given, or those whose time is over; or none."""
    if Scope.ALL not in granted(by, action, Resource.FINDING):
        return Finding.objects.none()
    asked = Q()
    if state:
        asked &= Q(state=state)
    if actor:
        asked &= Q(actor_id=actor)
    if record:
        asked &= Q(record=record)
    found = Finding.objects.filter(asked).annotate(actor_name=actor_names())
    return late(found) if overdue else found


def late(found: QuerySet[Finding]) -> QuerySet[Finding]:
    """Emergency access that nobody has looked at in time."""
    return found.filter(state=State.OPEN, due_at__lte=now())


def finding_for(by: Actor, pk: UUID) -> Finding:
    """One finding, or Missing."""
    return one(findings_for(by, Action.READ), pk)


def actor_names() -> Coalesce:
    """The name of the staff account that `actor_id` names; empty for patients and proxies, whose names are sealed."""
    names = get_user_model().objects.filter(pk=OuterRef("actor_id")).values("name")
    return Coalesce(Subquery(names), Value(""))
