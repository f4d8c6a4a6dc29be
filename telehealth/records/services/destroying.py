"""A record goes for good: two people decide, no legal hold stands in the way, the database's owner does it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.services import forget_account
from telehealth.core import constraint, lock, now, one, permit
from telehealth.core.owner import OWNER
from telehealth.outbox.services import forget_messages
from telehealth.records import rules
from telehealth.records.errors import ActsForOthers, DestructionAsked, LegalHoldStands, NotApproved, StillNeeded
from telehealth.records.models import CareRelationship, Destruction, LegalHold, Patient, ProxyGrant
from telehealth.records.selectors import evidence_of, held_by_the_ledger
from telehealth.rest import idempotency
from telehealth.vault import destroying

Blocker = Callable[[UUID], bool]
PRESENT = Patient.objects.filter(destroyed_at=None)


@transaction.atomic
def place_hold(*, patient_id: UUID, code: str, why: str, by: Actor) -> LegalHold:
    """From now on the record is kept, also when its destruction has been approved."""
    permit(by, rules.may_hold, None)
    patient = one(PRESENT.all(), patient_id)
    lock(patient.pk)
    hold = LegalHold.objects.create(patient=patient, code=code, why=why, placed_by=by.account)
    record(by, Act.HOLD_PLACED, hold, reason=hold.code)
    return hold


@transaction.atomic
def lift_hold(*, hold_id: UUID, by: Actor) -> LegalHold:
    """This hold no longer stands; others may. Lifting again changes nothing."""
    permit(by, rules.may_lift, None)
    require_fresh(by)
    hold = one(LegalHold.objects.select_for_update(), hold_id)
    if hold.lifted_at is None:
        hold.lifted_at, hold.lifted_by = now(), by.account
        hold.save(update_fields=["lifted_at", "lifted_by"])
        record(by, Act.HOLD_LIFTED, hold, reason=hold.code)
    return hold


@transaction.atomic
def request_destruction(*, patient_id: UUID, code: str, why: str, by: Actor) -> Destruction:
    """Ask for it, with a fresh factor. LegalHoldStands, ActsForOthers, StillNeeded, DestructionAsked."""
    permit(by, rules.may_ask_for_destruction, None)
    require_fresh(by)
    patient = one(PRESENT.all(), patient_id)
    lock(patient.pk)
    _refuse_if_needed(patient)
    with constraint("destruction_once_at_a_time", DestructionAsked):
        asked = Destruction.objects.create(patient=patient, code=code, why=why, requested_by=by.account)
    record(by, Act.DESTRUCTION_REQUESTED, asked, reason=asked.code)
    return asked


@transaction.atomic
def approve_destruction(*, destruction_id: UUID, by: Actor) -> Destruction:
    """Somebody else agrees, with a fresh factor. Who asked is refused, as is whatever would refuse the request now."""
    asked = one(Destruction.objects.select_for_update().filter(withdrawn_at=None, done_at=None), destruction_id)
    permit(by, rules.may_approve_destruction, asked)
    require_fresh(by)
    lock(asked.patient_id)
    _refuse_if_needed(asked.patient)
    if asked.approved_at is None:
        asked.approved_at, asked.approved_by = now(), by.account
        asked.save(update_fields=["approved_at", "approved_by"])
        record(by, Act.DESTRUCTION_APPROVED, asked, reason=asked.code)
    return asked


@transaction.atomic
def withdraw_destruction(*, destruction_id: UUID, by: Actor) -> Destruction:
    """It is not done after all, whoever asked or approved."""
    permit(by, rules.may_withdraw_destruction, None)
    asked = one(Destruction.objects.select_for_update().filter(withdrawn_at=None, done_at=None), destruction_id)
    asked.withdrawn_at = now()
    asked.save(update_fields=["withdrawn_at"])
    record(by, Act.DESTRUCTION_WITHDRAWN, asked, reason=asked.code)
    return asked


@transaction.atomic(using=OWNER)
def destroy_record(*, patient_id: UUID, by: Actor) -> Destruction:
    """Do what was approved, as the database's owner; the certificate is an entry of the same transaction.

    NotApproved unless the ledger has the acts of both people; LegalHoldStands; what else refuses a request.
    """
    lock(patient_id, using=OWNER)
    patient = one(Patient.objects.using(OWNER).select_for_update().filter(destroyed_at=None), patient_id)
    asked = Destruction.objects.using(OWNER).select_for_update().filter(patient=patient, withdrawn_at=None, done_at=None).first()
    if asked is None or not evidence_of(asked):
        raise NotApproved()
    _refuse_if_needed(patient)
    account, ids = patient.account_id, destroying.ids_of(patient.pk, OWNER)
    counts = destroying.destroy(patient.pk, OWNER)
    forget_messages(people=[each for each in (account,) if each], objects=ids, using=OWNER, by=by)
    if account is not None:
        idempotency.forget_actor(account, OWNER)
    forget_account(account_id=account, patient_id=patient.pk, using=OWNER, by=by)
    _end_relations(patient, asked)
    certificate = {
        "requested_by": str(asked.requested_by),
        "approved_by": str(asked.approved_by),
        "rows": counts,
        "account": str(account or ""),
    }
    record(by, Act.RECORD_DESTROYED, asked, record_id=patient.pk, reason=asked.code, detail=certificate, using=OWNER)
    return asked


def _end_relations(patient: Patient, asked: Destruction) -> None:
    moment = now()
    relations: tuple[Any, ...] = (ProxyGrant, CareRelationship)
    for model in relations:
        lasting = model.objects.using(OWNER).filter(patient=patient)
        lasting.filter(ends_at=None).update(ends_at=moment)
        lasting.filter(ends_at__gt=moment).update(ends_at=moment)
    Patient.objects.using(OWNER).filter(pk=patient.pk).update(destroyed_at=moment, account_id=None, is_deceased=False)
    Destruction.objects.using(OWNER).filter(pk=asked.pk).update(done_at=moment)
    asked.done_at = moment


def _refuse_if_needed(patient: Patient) -> None:
    using = str(patient._state.db or "default")  # noqa: SLF001  # Django's own name
    if LegalHold.objects.using(using).filter(patient=patient, lifted_at=None).exists() or held_by_the_ledger(patient.pk):
        raise LegalHoldStands()
    if patient.account_id and ProxyGrant.objects.using(using).filter(proxy=patient.account_id, ends_at=None).exists():
        raise ActsForOthers()
    blockers: list[Blocker] = [import_string(path) for path in settings.RECORD_NEEDED_BY]
    if any(needs(patient.pk) for needs in blockers):
        raise StillNeeded()
