"""Patients for whom somebody else may act, and in what."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from telehealth.accounts.access import Resource
from telehealth.records.access.periods import lasting
from telehealth.records.ages import ADULT, is_at_least
from telehealth.records.models import Patient, ProxyGrant, ProxyScope

NEEDS: Mapping[Resource, ProxyScope] = {
    Resource.ACCESS_LOG: ProxyScope.RECORD,
    Resource.APPOINTMENT: ProxyScope.SCHEDULE,
    Resource.CLINICAL_RESOURCE: ProxyScope.RECORD,
    Resource.CONSENT: ProxyScope.RECORD,
    Resource.DISCLOSURE: ProxyScope.RECORD,
    Resource.PRESCRIPTION: ProxyScope.RECORD,
    Resource.SUMMARY: ProxyScope.VISITS,
    Resource.VISIT: ProxyScope.VISITS,
    Resource.WAITLIST: ProxyScope.SCHEDULE,
}
"""What a grant must name for its holder to reach the resource. Name and contact data come with any grant; what is not
here and is not below is not delegated at all."""
WITH_ANY = frozenset({Resource.PATIENT, Resource.PROXY_GRANT})


def delegated(account: UUID, resource: Resource, at: datetime, *, minors: bool = True) -> QuerySet[ProxyGrant, UUID]:
    """Ids of the patients whose grant to this account names what the resource needs. `minors` as in `standing`."""
    grants = standing(account, at, minors=minors)
    if resource not in WITH_ANY:
        needed = NEEDS.get(resource)
        grants = grants.filter(scopes__contains=[needed]) if needed else grants.none()
    return grants.values_list("patient_id", flat=True)


def standing(account: UUID, at: datetime, *, minors: bool = True) -> QuerySet[ProxyGrant]:
    """This account's grants that last; what was given for a minor lasts until the 18th birthday and not a moment longer.

    Birth dates are sealed, and in the clear the end of such a grant would be one: each is compared anew, by the key
    of the record, whenever somebody asks. A date that is corrected counts from then on. With `minors` False, for an
    account without the mark (`Actor.guards_minors`), there are no such grants, and nothing is asked.
    """
    grants = ProxyGrant.objects.filter(lasting(at), proxy=account)
    if not minors:
        return grants.filter(of_minor=False)
    wards = Patient.objects.filter(pk__in=grants.filter(of_minor=True).values("patient"))
    grown = [each.pk for each in wards.with_keys().only("birth_date") if is_at_least(each, ADULT, at)]
    return grants.exclude(of_minor=True, patient__in=grown) if grown else grants
