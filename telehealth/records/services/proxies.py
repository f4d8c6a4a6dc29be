from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.services import withdraw_invitations
from telehealth.core import now, one
from telehealth.records.access import visible
from telehealth.records.models import Patient, ProxyGrant
from telehealth.records.services.grants import make_grant


@transaction.atomic
def grant_proxy(*, patient_id: UUID, account_id: UUID, relationship: str, by: Actor) -> ProxyGrant:
    """From now on this account acts for the patient. Granting what stands changes nothing."""
    patient = one(Patient.objects.filter(visible(by, Action.CREATE, Resource.PROXY_GRANT, "")), patient_id)
    grant, made = make_grant(patient.pk, account_id, relationship, granted_by=by.id)
    if made:
        record(by, Act.PROXY_GRANTED, grant, record_id=patient.pk, reason=grant.relationship)
    return grant


@transaction.atomic
def revoke_proxy(*, grant_id: UUID, by: Actor) -> ProxyGrant:
    """From now on no longer. The grant is kept as evidence; revoking again changes nothing."""
    grants = ProxyGrant.objects.select_for_update().filter(visible(by, Action.DELETE, Resource.PROXY_GRANT))
    grant = one(grants, grant_id)
    moment = now()
    if grant.ends_at is None or grant.ends_at > moment:
        grant.ends_at = max(moment, grant.starts_at)
        grant.save(update_fields=["ends_at"])
        record(by, Act.PROXY_REVOKED, grant, record_id=grant.patient_id)
        withdraw_invitations(patient_id=grant.patient_id, relationship=grant.relationship, account_id=grant.proxy, by=by)
    return grant
