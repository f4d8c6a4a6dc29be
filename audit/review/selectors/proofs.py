"""Proofs about entries, narrowed to what the actor may see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson
from django.contrib.auth import get_user_model

from audit.ledger import Actor, proving, whole
from audit.ledger.archives import ArchiveBroken, ArchiveUnreachable
from audit.ledger.status import status
from audit.review.errors import ProofsUnavailable
from telehealth.accounts.access import Action, Resource
from telehealth.core import one
from telehealth.core.errors import Missing
from telehealth.records.access import visible
from telehealth.records.models import Patient


def proved_accesses(by: Actor, patient_id: UUID) -> Iterator[bytes]:
    """The lines of the document "accesses to this record", with proofs, archived months included; Missing when this actor
    may not have it, ProofsUnavailable when it cannot be made whole now."""
    one(Patient.objects.filter(visible(by, Action.EXPORT, Resource.ACCESS_LOG, "")).only("pk"), patient_id)
    with _published():
        prover = proving.Prover()
        whole.at_hand(whole.FIRST, whole.END)
    return _accesses(prover, patient_id)


def entry_proof(entry_id: UUID) -> dict[str, Any]:
    """The document that proves one entry; Missing for an entry that is not there or not under the checkpoint yet."""
    with _published():
        place = proving.place_of(entry_id)
    if place is None:
        raise Missing
    with _published():
        prover = proving.Prover()
        path = prover.path(place)
    if path is None:
        raise Missing
    return {**prover.header("entry"), **_proved(place, path)}


def consistency_proof(first: int, second: int | None) -> dict[str, Any]:
    """The document that one checkpoint continues another; Missing for sizes that have none."""
    with _published():
        found = proving.Prover().between(first, second)
    if found is None:
        raise Missing
    return found


def chain_status() -> dict[str, Any]:
    """How the log is doing, in the database and as published here."""
    size, note = proving.published()
    return {**asdict(status()), "published": size, "checkpoint": note}


def _accesses(prover: proving.Prover, patient_id: UUID) -> Iterator[bytes]:
    entries = waiting = 0
    yield _line(prover.header("accesses", record=str(patient_id)))
    for page in proving.places_of_record(patient_id):
        lines = [_proved(place, prover.path(place)) for place in page]
        names = _names(lines)
        for line in lines:
            line["name"] = names.get(line["entry"]["actor_id"], "")
        entries, waiting = entries + len(lines), waiting + sum(line["leaf_index"] is None for line in lines)
        yield b"".join(map(_line, lines))
    yield _line({"end": {"entries": entries, "waiting": waiting}})


def _proved(place: proving.Place, path: list[str] | None) -> dict[str, Any]:
    known = place.index if path is not None else None
    return {"entry": orjson.loads(place.text), "mac": place.mac.hex(), "leaf_index": known, "proof": path}


def _names(lines: list[dict[str, Any]]) -> dict[str, str]:
    """Staff by name, as the list of accesses shows them; the names are beside the entries and not part of what is proved."""
    actors = {line["entry"]["actor_id"] for line in lines} - {None}
    found = get_user_model().objects.filter(pk__in=actors).values_list("pk", "name")
    return {str(pk): name for pk, name in found}


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def _published() -> Iterator[None]:
    try:
        yield
    except (proving.NotPublished, ArchiveBroken, ArchiveUnreachable) as error:
        raise ProofsUnavailable from error
