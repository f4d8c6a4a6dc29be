"""What a visit takes beside provider and patient, and who or what will do."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from scheduling.errors import ResourceTaken
from scheduling.models import BookableResource, Occupancy, VisitType
from scheduling.statuses import Need
from telehealth.records.models import Patient

Suitable = Mapping[Need, list[UUID]]
"""Of each kind that is needed, who will do, in id order."""


def bookable_resources() -> QuerySet[BookableResource]:
    """Interpreters and rooms, those out of use among them: nothing about a patient."""
    return BookableResource.objects.all()


def suitable(kind: VisitType, patient: Patient | None) -> Suitable:
    """All that are in use; of interpreters those who speak the patient's language, which is looked at only for that."""
    if not kind.needs:
        return {}
    rows = list(BookableResource.objects.filter(kind__in=kind.needs, is_active=True).order_by("id"))
    language = patient.language if patient and Need.INTERPRETER in kind.needs else ""
    return {Need(need): [row.pk for row in rows if row.kind == need and _will_do(row, language)] for need in sorted(set(kind.needs))}


def suitable_for(kind: VisitType, patient_id: UUID | None) -> Suitable:
    """The same for somebody whose record is not at hand."""
    found = Patient.objects.with_keys().filter(pk=patient_id).only("pk", "language") if patient_id and kind.needs else ()
    return suitable(kind, next(iter(found), None))


def _will_do(row: BookableResource, language: str) -> bool:
    """By the primary subtag (BCP 47): es-MX is served by es. Where no language is known any interpreter will do."""
    spoken = {each.partition("-")[0].lower() for each in row.languages}
    return row.kind != Need.INTERPRETER or not language or language.partition("-")[0].lower() in spoken


def first_free(wanted: Suitable, starts: datetime, ends: datetime) -> dict[UUID, Need]:
    """One of each kind, the first that is free then, or ResourceTaken. Under the locks of all of them."""
    if not wanted:
        return {}
    everybody = [each for some in wanted.values() for each in some]
    taken = Occupancy.objects.filter(party__in=everybody, live=True, during__overlap=(starts, ends))
    busy = set(taken.values_list("party", flat=True))
    found: dict[UUID, Need] = {}
    for need, some in wanted.items():
        free = next((each for each in some if each not in busy), None)
        if free is None:
            raise ResourceTaken(need=need)
        found[free] = need
    return found
