"""Consents to sensitive categories: given and withdrawn by the patient, or by a guardian for what guardians decide."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.accounts.factors import require_fresh
from telehealth.core import constraint, now, one, permit
from telehealth.outbox.services import notify
from telehealth.records import rules
from telehealth.records.access import visible
from telehealth.records.errors import ConsentTextUnknown, RecipientUnclear
from telehealth.records.labels import HIDDEN_FROM_PROXIES, Category, token, tokens
from telehealth.records.models import Consent, ConsentScope, Patient, Practitioner, Recipient


@transaction.atomic
def give_consent(
    *,
    patient_id: UUID,
    category: str,
    recipient: dict[str, Any],
    text_version: str,
    by: Actor,
    scope: str = ConsentScope.TREATMENT,
    ends_at: datetime | None = None,
) -> Consent:
    """From now on the recipient, while in care, sees what belongs to the category. Needs a fresh factor.

    By the patient; by who acts for them, but for what only the patient decides; by the desk, which has the patient's
    signature before it and sees no chart: then the patient is told.
    Raises ConsentTextUnknown for a text that is not the category's, RecipientUnclear.
    """
    patient = one(Patient.objects.filter(visible(by, Action.CREATE, Resource.CONSENT, "")), patient_id)
    about = Category(category)
    on_paper = Scope.DESK in granted(by, Action.CREATE, Resource.CONSENT)
    if about in HIDDEN_FROM_PROXIES and not on_paper:
        permit(by, rules.is_oneself, patient)
    require_fresh(by)
    if settings.SHARING_CONSENTS.get(about) != text_version:
        raise ConsentTextUnknown(reply={"text_version": settings.SHARING_CONSENTS.get(about, "")})
    with constraint("consent_names_its_recipient", RecipientUnclear), constraint("consent_ends_after_it_starts", RecipientUnclear):
        made = Consent.objects.create(
            patient=patient,
            scope=ConsentScope(scope),
            label=token(patient.pk, about),
            category=about,
            text_version=text_version,
            given_by=by.account,
            starts_at=now(),
            ends_at=ends_at,
            **_to(recipient),
        )
    record(by, Act.CONSENT_GIVEN, made, reason=made.recipient, detail={"on_paper": True} if on_paper else None)
    if on_paper and patient.account_id:
        notify(person_id=patient.account_id, kind="consent_recorded", about_id=made.pk)
    return made


def _to(recipient: dict[str, Any]) -> dict[str, Any]:
    named = recipient.get("practitioner")
    return {
        "recipient": Recipient(recipient["kind"]),
        "practitioner": one(Practitioner.objects.all(), named) if named else None,
        "role": recipient.get("role", ""),
    }


@transaction.atomic
def withdraw_consent(*, consent_id: UUID, by: Actor) -> Consent:
    """From now on no longer: the next query does not find the rows. Withdrawing again changes nothing."""
    consents = Consent.objects.select_for_update(of=("self",)).select_related("patient")
    consent = one(consents.filter(visible(by, Action.ACT, Resource.CONSENT)), consent_id)
    if consent.label in tokens(consent.patient_id, HIDDEN_FROM_PROXIES):
        permit(by, rules.is_oneself, consent.patient)
    if consent.withdrawn_at is None:
        consent.withdrawn_at = now()
        consent.save(update_fields=["withdrawn_at"])
        record(by, Act.CONSENT_WITHDRAWN, consent)
    return consent
