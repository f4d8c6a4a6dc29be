"""What was said about when somebody is there."""

from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger import Actor
from scheduling.models import Availability, AvailabilityException
from telehealth.accounts.access import Action, Resource, Scope, granted


def hours_for(by: Actor, *, practitioner_id: UUID | None = None) -> QuerySet[Availability]:
    """The rules that this actor may see: one's own, or all for whom the table gives them; of one provider if named."""
    found = Availability.objects.filter(_theirs(by)).prefetch_related("visit_types")
    return found.filter(practitioner_id=practitioner_id) if practitioner_id else found


def exceptions_for(by: Actor, *, practitioner_id: UUID | None = None) -> QuerySet[AvailabilityException]:
    """What differs from those rules, for one provider if named; closures of the clinic are everybody's who may see any."""
    closures = Q(practitioner=None) if granted(by, Action.SEARCH, Resource.AVAILABILITY) else Q(pk__in=[])
    found = AvailabilityException.objects.filter(_theirs(by) | closures).prefetch_related("visit_types")
    return found.filter(Q(practitioner_id=practitioner_id) | Q(practitioner=None)) if practitioner_id else found


def _theirs(by: Actor) -> Q:
    held = granted(by, Action.SEARCH, Resource.AVAILABILITY)
    if Scope.ALL in held:
        return ~Q(pk__in=[])
    return Q(practitioner__account_id=by.id) if Scope.OWN in held and by.id else Q(pk__in=[])
