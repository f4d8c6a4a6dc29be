"""The row of a proxy grant, for the services that have asked whether it may be."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from telehealth.accounts.services import mark_guardian
from telehealth.core import lock, now
from telehealth.records.access.periods import lasting
from telehealth.records.ages import ADULT, day_of, is_at_least
from telehealth.records.importing.reading import age_on
from telehealth.records.labels import HIDDEN_FROM_PROXIES, Category, tokens
from telehealth.records.models import Patient, ProxyGrant, ProxyRelationship, ProxyScope

GUARDIANS_OF = (  # from this age on a guardian may do this for a minor; what state law lets minors decide alone is labelled ADOL
    (0, tuple(ProxyScope.values)),
    (12, (ProxyScope.SCHEDULE, ProxyScope.VISITS, ProxyScope.RECORD)),
    (ADULT, ()),
)


def make_grant(
    patient: Patient,
    account_id: UUID,
    relationship: str,
    *,
    granted_by: UUID | None,
    scopes: Sequence[str] | None = None,
    sees: Sequence[str] | None = None,
    ends_at: datetime | None = None,
) -> tuple[ProxyGrant, bool]:
    """The grant that stands, and whether it is new: once at a time. Needs a transaction.

    A guardian's reaches as far as the minor's age lets it; what a delegate's names, the patient chose. What somebody else
    gave for a minor ends when that one comes of age, and marks the account.
    """
    lock(patient.pk)
    moment = now()
    standing = ProxyGrant.objects.filter(lasting(moment), patient=patient, proxy=account_id).first()
    if standing is not None:
        return standing, False
    kind = ProxyRelationship(relationship)
    age = age_on(patient.birth_date, day_of(moment)) if kind == ProxyRelationship.GUARDIAN else None
    made = ProxyGrant.objects.create(
        patient=patient,
        proxy=account_id,
        relationship=kind,
        granted_by=granted_by,
        starts_at=moment,
        ends_at=ends_at,
        scopes=list(guardians_scopes(age) if scopes is None else scopes),
        sees=tokens(patient.pk, set(Category) - HIDDEN_FROM_PROXIES) if sees is None else list(sees),
        of_minor=granted_by != patient.account_id and is_minor(patient, moment),
    )
    if made.of_minor:
        mark_guardian(account_id=account_id)
    return made, True


def is_minor(patient: Patient, at: datetime) -> bool:
    """Whether the patient is known to be below eighteen then; nothing is opened for it."""
    return is_at_least(patient, 0, at) and not is_at_least(patient, ADULT, at)


def guardians_scopes(age: int | None) -> tuple[str, ...]:
    """What a guardian may do for somebody of this age; of an adult, or of unknown age, what a court gave: everything."""
    if age is None or age >= ADULT:
        return tuple(ProxyScope.values)
    return next(tuple(scopes) for since, scopes in reversed(GUARDIANS_OF) if age >= since)
