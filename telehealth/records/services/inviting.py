from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts.access import Action, Resource, Role
from telehealth.accounts.models import Invitation
from telehealth.accounts.services import create_invitation
from telehealth.core import one
from telehealth.outbox.services import notify
from telehealth.records.access import visible
from telehealth.records.ages import day_of
from telehealth.records.errors import AccountTaken, GuardianRequired, IdentityUnchecked
from telehealth.records.importing.reading import is_minor
from telehealth.records.models import Patient, ProxyOffer
from telehealth.records.services.grants import make_grant
from telehealth.records.services.proxies import attach_delegate, follow_ages_of

SELF = "self"


IDENTIFIERS = ("birth_date", "record_number", "address", "insurance_number", "government_id")
"""What a desk compares with the record before it lets somebody in again; told as codes, never the values."""


@transaction.atomic
def invite(
    *, patient_id: UUID, email: str, relationship: str, by: Actor, checked: Collection[str] = (), called_back: bool = False
) -> Invitation:
    """Offer an account to the patient (`self`) or to who acts for them (`guardian`); the message leaves by the outbox.

    A patient who has an account recovers it by accepting: the desk says which two identifiers it `checked` and that it
    called back the number on record, else IdentityUnchecked. GuardianRequired for a minor.
    """
    patient = one(Patient.objects.with_keys().filter(visible(by, Action.CREATE, Resource.INVITATION, "")), patient_id)
    if relationship == SELF and is_minor(patient.birth_date, day_of()):
        raise GuardianRequired()
    recovers = relationship == SELF and patient.account_id is not None
    told = set(checked) & set(IDENTIFIERS)
    if recovers and (len(told) < 2 or not called_back or not patient.phone):
        refuse(by, "identity_unchecked", kind=Patient._meta.label, pk=patient.pk)
        raise IdentityUnchecked()
    invitation = create_invitation(
        email=email,
        role=Role.PATIENT if relationship == SELF else Role.PROXY,
        patient_id=patient.pk,
        relationship=relationship,
        account_id=patient.account_id if relationship == SELF else None,
        by=by,
    )
    notify(person_id=invitation.pk, kind="invitation", about_id=invitation.pk)
    record(by, Act.PATIENT_INVITED, invitation, record_id=patient.pk, reason=relationship)
    if recovers:
        record(by, Act.PATIENT_RESET, invitation, record_id=patient.pk, detail={"checked": sorted(told), "called_back": "number_on_record"})
    return invitation


@transaction.atomic
def attach_account(
    *, patient_id: UUID, account_id: UUID, relationship: str, granted_by: UUID | None, by: Actor, invitation_id: UUID | None = None
) -> None:
    """What an accepted invitation was for: the patient's own account, or a grant to who acts for them.

    AccountTaken when it would give one account two patients, or one patient two accounts.
    """
    patient = one(Patient.objects.select_for_update(), patient_id)
    offer = ProxyOffer.objects.select_related("patient").filter(pk=invitation_id).first() if invitation_id else None
    if offer is not None:
        attach_delegate(offer=offer, account_id=account_id, granted_by=granted_by, by=by)
        return
    if relationship != SELF:
        follow_ages_of(patient_id=patient.pk, by=by)
        grant, made = make_grant(patient, account_id, relationship, granted_by=granted_by)
        if made:
            record(by, Act.PROXY_GRANTED, grant, record_id=patient.pk, reason=grant.relationship)
        return
    if patient.account_id == account_id:
        return
    if patient.account_id or Patient.objects.filter(account_id=account_id).exists():
        raise AccountTaken()
    patient.account_id = account_id
    patient.save(update_fields=["account_id"])
    record(by, Act.ACCOUNT_ATTACHED, patient)
