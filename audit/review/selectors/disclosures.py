"""What has left of whose data, narrowed to what the actor may see."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger import Actor
from audit.review.basis import earliest, is_listed
from audit.review.models import Disclosure
from telehealth.accounts.access import Action, Resource
from telehealth.core import now, one
from telehealth.records.access import visible
from telehealth.records.models import Patient
from telehealth.vault.cipher import Broken
from telehealth.vault.compare import matches
from telehealth.vault.errors import RecordDestroyed
from telehealth.vault.models import RecordKey


def disclosures_of(by: Actor, patient_id: UUID) -> "QuerySet[Disclosure]":
    """All of one person's, of the duplicates that are linked to the record too, but for those that were destroyed; Missing
    when this actor may not know."""
    one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.DISCLOSURE, "")).only("pk"), patient_id)
    doubles = keyed(Patient.objects.filter(link_id=patient_id).values_list("pk", flat=True))
    return Disclosure.objects.filter(Q(patient_id=patient_id) | Q(patient_id__in=doubles))


def accounting_owed(patient_id: UUID) -> bool:
    """For `RECORD_NEEDED_BY`: whether something left within six years that 164.528 lists. It is sealed under the record's
    key, and must be kept for as long (164.530(j)). The bases are compared inside the vault: nothing is opened."""
    recent = Disclosure.objects.filter(patient_id=patient_id, at__gte=earliest(now()))
    return any(matches(each, "basis", is_listed) for each in recent.iterator())


def disclosure_for(by: Actor, pk: UUID) -> Disclosure:
    """One of them, or Missing."""
    return one(Disclosure.objects.with_keys().filter(visible(by, Action.READ, Resource.DISCLOSURE)), pk)


def keyed(patient_ids: Iterable[UUID]) -> list[UUID]:
    """Those whose record can be sealed into. One that was shredded has no key, and must not get a new one."""
    wanted = list(patient_ids)
    people = Patient.objects.filter(pk__in=wanted).values("pk")
    held = set(RecordKey.objects.filter(record_id__in=people).values_list("record_id", flat=True))
    return [each for each in wanted if each in held]


def readable(row: Any, name: str) -> Any:
    """The value, or nothing where the record's key was destroyed since."""
    try:
        return getattr(row, name)
    except (Broken, RecordDestroyed):
        return None
