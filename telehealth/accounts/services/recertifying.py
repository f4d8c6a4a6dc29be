"""Who may confirm roles is told, once a week, that some wait to be confirmed."""

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record
from telehealth.accounts.access import TABLE, Action, Resource
from telehealth.accounts.models import User
from telehealth.accounts.models.staff import RECERTIFY
from telehealth.accounts.services.roles import standing
from telehealth.core import now

REVIEWERS = [role.value for role, rows in TABLE.items() if Action.ACT in rows.get(Resource.ROLE_GRANT, {})]


@transaction.atomic
def remind_of_roles(*, by: Actor) -> int:
    """For the clock, as often as it likes: a notice to everybody who may confirm a role that nobody has confirmed for 90 days,
    one in a week, none to who could confirm nothing but their own. How many people there were."""
    moment = now()
    due = standing().annotate(since=Coalesce("confirmed_at", "starts_at")).filter(since__lte=moment - RECERTIFY)
    accounts = set(due.values_list("account_id", flat=True))
    year, week, _ = moment.isocalendar()
    reviewers = User.objects.filter(is_active=True, role__in=REVIEWERS).order_by("pk")
    told = [pk for pk in reviewers.values_list("pk", flat=True) if accounts - {pk}]
    for pk in told:
        import_string(settings.NOTIFY)(person_id=pk, kind="roles_due", about_id=pk, key=f"roles-due:{pk}:{year}-{week}")
    if told:
        record(by, Act.ROLES_REMINDED, detail={"people": len(told), "roles": len(accounts)})
    return len(told)
