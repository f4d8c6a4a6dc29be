"""Reads of the log, narrowed to what the actor may see. `services` puts on record that somebody looked."""

from uuid import UUID

import orjson
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from audit.ledger import Act, Actor
from audit.ledger.models import Entry
from telehealth.accounts.access import Action, Resource
from telehealth.core import one
from telehealth.records.access import visible
from telehealth.records.models import Patient


def accesses_to(by: Actor, patient_id: UUID) -> QuerySet[Entry]:
    """Everything on record about one patient's record; Missing when this actor may not know."""
    one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.ACCESS_LOG, "")).only("pk"), patient_id)
    return named(Entry.objects.filter(record_id=patient_id))


def named(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """With `actor_name`: a staff account's name; empty for patients, proxies and the system, whose names are sealed."""
    names = get_user_model().objects.filter(pk=OuterRef("actor_id")).values("name")
    found: QuerySet[Entry] = entries.annotate(actor_name=Coalesce(Subquery(names), Value("")))
    return found


def kinds_opened(entry: Entry) -> dict[str, int]:
    """{kind: number of objects} of an opening, whose detail's keys are "app.Kind:id"; nothing for any other act."""
    counts: dict[str, int] = {}
    for key in orjson.loads(entry.detail) if entry.act == Act.RECORD_OPENED else ():
        kind = key.partition(":")[0].rpartition(".")[2]
        counts[kind] = counts.get(kind, 0) + 1
    return counts
