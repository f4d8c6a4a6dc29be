"""Who acts for a patient: granted by the patient, a minor's guardian or the desk; ended by them, by time, by coming of age."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts.access import Action, Resource, Role, Scope, granted
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.accounts.selectors import account_of_email
from telehealth.accounts.services import create_invitation, mark_guardian, withdraw_invitations
from telehealth.core import now, one, permit
from telehealth.outbox.services import notify
from telehealth.records import rules
from telehealth.records.access import visible
from telehealth.records.access.periods import lasting
from telehealth.records.ages import ADULT, is_at_least
from telehealth.records.errors import PeriodUnusable
from telehealth.records.labels import HIDDEN_FROM_PROXIES, Category, tokens
from telehealth.records.models import Patient, ProxyGrant, ProxyOffer, ProxyRelationship
from telehealth.records.services.grants import guardians_scopes, is_minor, make_grant


@transaction.atomic
def grant_proxy(*, patient_id: UUID, account_id: UUID, relationship: str, by: Actor) -> ProxyGrant:
    """From now on this account acts for the patient: for the desk, which has seen who somebody is. Granting what stands
    changes nothing."""
    patient = one(Patient.objects.filter(visible(by, Action.CREATE, Resource.PROXY_GRANT, "")), patient_id)
    permit(by, rules.may_name_guardian, patient)
    follow_ages_of(patient_id=patient.pk, by=by)
    grant, made = make_grant(patient, account_id, relationship, granted_by=by.id)
    if made:
        record(by, Act.PROXY_GRANTED, grant, record_id=patient.pk, reason=grant.relationship)
    return grant


@transaction.atomic
def delegate(
    *, patient_id: UUID, email: str, scopes: Iterable[str], by: Actor, categories: Iterable[str] = (), ends_at: datetime | None = None
) -> ProxyOffer:
    """Let another adult act for the patient in these scopes, and see these sensitive categories, under their own sign-in.

    Whoever has an account of the patients' side has the grant at once; anybody else is invited. The one who asks is not told
    which of the two it was. Needs a fresh factor; PeriodUnusable for an end that is past.
    """
    patient = one(Patient.objects.with_keys().filter(visible(by, Action.CREATE, Resource.PROXY_GRANT, "")), patient_id)
    permit(by, rules.may_delegate, patient)
    require_fresh(by)
    if ends_at is not None and ends_at <= now():
        raise PeriodUnusable()
    shared = {Category(each) for each in categories} - HIDDEN_FROM_PROXIES
    values = {"scopes": sorted(set(scopes)), "sees": tokens(patient.pk, shared), "ends_at": ends_at}
    known = account_of_email(email)
    if known is not None and known.role in PATIENT_SIDE:
        offer = ProxyOffer.objects.create(patient=patient, **values)
        attach_delegate(offer=offer, account_id=known.pk, granted_by=by.id, by=by)
        notify(person_id=known.pk, kind="proxy_granted", about_id=offer.pk)
        return offer
    invitation = create_invitation(email=email, role=Role.PROXY, patient_id=patient.pk, relationship=ProxyRelationship.DELEGATE, by=by)
    notify(person_id=invitation.pk, kind="invitation", about_id=invitation.pk)
    record(by, Act.PATIENT_INVITED, invitation, record_id=patient.pk, reason=ProxyRelationship.DELEGATE)
    return ProxyOffer.objects.create(pk=invitation.pk, patient=patient, **values)


def attach_delegate(*, offer: ProxyOffer, account_id: UUID, granted_by: UUID | None, by: Actor) -> None:
    """The grant of an accepted offer, if who made it may still do so: a guardian's offers end with the guardianship.

    Needs a transaction.
    """
    follow_ages_of(patient_id=offer.patient_id, by=by)
    if granted_by is None or (granted_by != offer.patient.account_id and not rules.is_guardian(granted_by, offer.patient)):
        refuse(by, "offer_over", kind=ProxyOffer._meta.label, pk=offer.pk, record_id=offer.patient_id)
        return
    grant, made = make_grant(
        offer.patient,
        account_id,
        ProxyRelationship.DELEGATE,
        granted_by=granted_by,
        scopes=offer.scopes,
        sees=offer.sees,
        ends_at=offer.ends_at,
    )
    if made:
        record(by, Act.PROXY_GRANTED, grant, record_id=offer.patient_id, reason=grant.relationship)


@transaction.atomic
def revoke_proxy(*, grant_id: UUID, by: Actor) -> ProxyGrant:
    """From now on no longer. The grant is kept as evidence; revoking again changes nothing."""
    grants = ProxyGrant.objects.select_for_update(of=("self",)).filter(visible(by, Action.DELETE, Resource.PROXY_GRANT))
    grant = one(grants, grant_id)
    if Scope.DESK not in granted(by, Action.DELETE, Resource.PROXY_GRANT):
        permit(by, rules.may_end_grant, grant)
    _end(grant, by, "asked")
    return grant


def _end(grant: ProxyGrant, by: Actor, reason: str) -> None:
    moment = now()
    if grant.ends_at is None or grant.ends_at > moment:
        grant.ends_at = max(moment, grant.starts_at)
        grant.save(update_fields=["ends_at"])
        record(by, Act.PROXY_REVOKED, grant, record_id=grant.patient_id, reason=reason)
        withdraw_invitations(patient_id=grant.patient_id, relationship=grant.relationship, account_id=grant.proxy, by=by)


@transaction.atomic
def follow_age(*, grant_id: UUID, by: Actor) -> bool:
    """A guardian's grant as the age of today lets it be: narrower from twelve on, over at eighteen. Whether it changed.

    While it lasts, its account bears the mark without which it shows nothing. Ages are compared inside the vault: nothing is opened.
    """
    grant = ProxyGrant.objects.select_for_update(of=("self",)).select_related("patient").get(pk=grant_id)
    if is_at_least(grant.patient, ADULT):
        _end(grant, by, "of_age")
        return True
    mark_guardian(account_id=grant.proxy)
    scopes = list(guardians_scopes(12 if is_at_least(grant.patient, 12) else 0))
    if set(grant.scopes) <= set(scopes):
        return False
    grant.scopes = [scope for scope in grant.scopes if scope in scopes]
    grant.save(update_fields=["scopes"])
    record(by, Act.PROXY_NARROWED, grant, record_id=grant.patient_id, reason="age")
    return True


@transaction.atomic
def follow_ages_of(*, patient_id: UUID, by: Actor) -> None:
    """What others hold for this patient, as the birth date of now lets it be: after a correction, or before another grant.

    A grant that turns out to have been made for a minor ends like one; none turns out to have been an adult's.
    """
    grants = ProxyGrant.objects.filter(lasting(now()), patient_id=patient_id).select_related("patient").order_by("pk")
    for grant in grants.select_for_update(of=("self",)):
        if not grant.of_minor and grant.granted_by != grant.patient.account_id and is_minor(grant.patient, grant.starts_at):
            grant.of_minor = True
            grant.save(update_fields=["of_minor"])
        if grant.of_minor:
            follow_age(grant_id=grant.pk, by=by)
