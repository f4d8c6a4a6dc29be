"""Putting on record what leaves, and telling a person what has left (45 CFR 164.528)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, uuid7
from audit.review import basis as rule
from audit.review import selectors
from audit.review.errors import DateAhead, PeriodBackwards
from audit.review.models import Basis, Disclosure
from telehealth.accounts.access import Action, Resource, Role
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.core import lock, now, one
from telehealth.records.access import visible
from telehealth.records.models import Patient

BY_HAND = "by_hand"
INDIVIDUAL, REPRESENTATIVE, OFFICER = "The individual", "Personal representative", "Privacy officer"


@dataclass(frozen=True)
class Recipient:
    """Who gets it: 164.528(b)(2)(ii) asks for the name and, if known, the address."""

    name: str
    address: str = ""


@dataclass(frozen=True)
class Leaving:
    """What all patients of one export or transmission have in common. `source_kind` and `source_id` name it."""

    recipient: Recipient
    what: str
    purpose: str
    basis: Basis
    source_kind: str
    source_id: UUID


@dataclass(frozen=True)
class Accounting:
    """The answer to a person's request: the period that it covers, and what left in it, newest first."""

    patient: UUID
    starts_at: datetime
    ends_at: datetime
    lines: list[Disclosure]


@transaction.atomic
def disclose(*, patient_id: UUID, leaving: Leaving, by: Actor) -> Disclosure:
    """Put on record that this is about to leave: to be called, and committed, before it does. Once per source: a repeat
    finds what the first has written. For services that have asked whether `by` may do what causes it."""
    return disclose_all(patient_ids=[patient_id], leaving=leaving, by=by)[0]


@transaction.atomic
def disclose_all(*, patient_ids: Collection[UUID], leaving: Leaving, by: Actor) -> list[Disclosure]:
    """The same for many patients whose data leaves together."""
    lock(leaving.source_id)
    same = Disclosure.objects.filter(source_kind=leaving.source_kind, source_id=leaving.source_id)
    known = {each.patient_id: each for each in same.filter(patient_id__in=patient_ids)}
    made = [_made(patient, leaving, by) for patient in dict.fromkeys(patient_ids) if patient not in known]
    Disclosure.objects.bulk_create(made)
    for each in made:
        record(by, Act.DISCLOSURE_MADE, each)
    return [*known.values(), *made]


def _made(patient_id: UUID, leaving: Leaving, by: Actor) -> Disclosure:
    return Disclosure(
        patient_id=patient_id,
        source_kind=leaving.source_kind,
        source_id=leaving.source_id,
        made_by=by.id,
        recipient={"name": leaving.recipient.name, "address": leaving.recipient.address},
        what=leaving.what,
        purpose=leaving.purpose,
        basis=Basis(leaving.basis),
    )


@transaction.atomic
def hand_over(*, patient_id: UUID, what: str, by: Actor) -> Disclosure:
    """The individual, or who acts for them, takes along what is about their record; or a privacy officer does, to prove it."""
    mine = by.role in PATIENT_SIDE
    who = REPRESENTATIVE if by.role == Role.PROXY else INDIVIDUAL if mine else OFFICER
    basis = Basis.INDIVIDUAL if mine else Basis.OPERATIONS
    return disclose(patient_id=patient_id, leaving=Leaving(Recipient(who), what, what, basis, "review.Export", uuid7()), by=by)


@transaction.atomic
def write_down(
    *, patient_id: UUID, recipient: Recipient, what: str, purpose: str, basis: str, by: Actor, at: datetime | None = None
) -> Disclosure:
    """What a person disclosed without this system: by telephone, by fax, on paper."""
    patient = one(Patient.objects.filter(visible(by, Action.CREATE, Resource.DISCLOSURE, "")).only("pk"), patient_id)
    if at is not None and at > now():
        raise DateAhead
    told = {"recipient": {"name": recipient.name, "address": recipient.address}, "what": what, "purpose": purpose}
    made = Disclosure.objects.create(patient_id=patient.pk, at=at or now(), source_kind=BY_HAND, made_by=by.id, basis=Basis(basis), **told)
    record(by, Act.DISCLOSURE_MADE, made)
    return made


@transaction.atomic
def account_for(
    *, patient_id: UUID, by: Actor, starts_at: datetime | None = None, ends_at: datetime | None = None, complete: bool = False
) -> Accounting:
    """What has left of this patient's data in the period, which reaches six years back at most. That it was asked for is
    on record. Without `complete`, only what 164.528 has listed: no treatment, payment, operations, nor what the
    individual got or authorized."""
    asked_at = now()
    since = max(starts_at or rule.earliest(asked_at), rule.earliest(asked_at))
    until = min(ends_at or asked_at, asked_at)
    if (starts_at or since) > until:
        raise PeriodBackwards
    found = selectors.disclosures_of(by, patient_id).filter(at__gte=since, at__lte=until)
    record(by, Act.DISCLOSURE_ACCOUNTED, record_id=patient_id, detail={"complete": complete})
    lines = [each for each in found.order_by("-at", "-pk") if complete or rule.is_listed(each.basis)]
    return Accounting(patient_id, since, until, lines)


@transaction.atomic
def read_disclosure(*, disclosure: Disclosure | None, by: Actor) -> None:
    """A privacy officer looks at one line, or for one that is not there."""
    record(by, Act.LEDGER_READ, disclosure)
