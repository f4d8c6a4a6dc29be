"""Notes: rewritten as drafts, signed once, corrected by addenda. What is signed never changes (contract C9)."""

import secrets
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from consults import rules, selectors
from consults.canonical import digest
from consults.errors import DraftExists, NoteEmpty, NoteNotSigned, NoteSigned, VisitEnded
from consults.models import Note, Visit
from consults.signed import PARTS, content_of
from consults.states import Encounter
from telehealth.core import constraint, now, one, permit
from telehealth.records.labels import Category, tokens
from telehealth.rest.errors import VersionChanged
from telehealth.vault import signing


@transaction.atomic
def draft(*, visit_id: UUID, parts: Mapping[str, str], by: Actor, sensitivity: Iterable[str] | None = None) -> Note:
    """A new draft in a visit that is not cancelled, one at a time per author; labelled if its author says so."""
    visit = one(selectors.visits_for(by), visit_id)
    permit(by, rules.may_conduct, visit)
    if visit.status == Encounter.CANCELLED:
        raise VisitEnded
    return _new(visit, parts, by, None, sensitivity)


@transaction.atomic
def amend(*, note_id: UUID, parts: Mapping[str, str], by: Actor, sensitivity: Iterable[str] | None = None) -> Note:
    """A draft that refers to a signed note and, once signed, stands beside it, no less sensitive. The signed note stays as it is."""
    note = one(selectors.notes_for(by).select_related("visit__practitioner"), note_id)
    permit(by, rules.may_conduct, note.visit)
    if note.status != Note.Status.SIGNED:
        raise NoteNotSigned
    return _new(note.visit, parts, by, note, sensitivity)


def _new(visit: Visit, parts: Mapping[str, str], by: Actor, amends: Note | None, sensitivity: Iterable[str] | None) -> Note:
    note = Note(visit=visit, patient_id=visit.patient_id, author_id=rules.account_of(by), amends=amends)
    _label(note, sensitivity or ())
    note.body = {part: parts.get(part, "") for part in PARTS} | {"salt": secrets.token_hex(16)}
    with constraint("note_one_draft_per_author", DraftExists):
        note.save(force_insert=True)
    record(by, Act.NOTE_DRAFTED, note)
    return note


@transaction.atomic
def revise(*, note_id: UUID, version: int, parts: Mapping[str, str], by: Actor, sensitivity: Iterable[str] | None = None) -> Note:
    """Rewrite one's draft; without `sensitivity` it keeps its labels. VersionChanged when another tab was faster, NoteSigned
    when it is no draft any more."""
    note = _own(note_id, by)
    if note.version != version:
        raise VersionChanged
    note.body = {**note.body, **{part: parts.get(part, "") for part in PARTS}}
    note.version += 1
    _label(note, sensitivity)
    note.save(update_fields=["body", "labels", "version", "changed_at"])
    record(by, Act.NOTE_REVISED, note, detail={"version": note.version})
    return note


@transaction.atomic
def sign(*, note_id: UUID, version: int | None = None, by: Actor, sensitivity: Iterable[str] | None = None) -> Note:
    """Ed25519 over the canonical content, its labels too, with the author's key; from now on it stands."""
    note = _own(note_id, by)
    if version is not None and note.version != version:
        raise VersionChanged
    if not any(note.body[part].strip() for part in PARTS):
        raise NoteEmpty
    _label(note, sensitivity)
    note.status, note.signed_at = Note.Status.SIGNED, now()
    content = content_of(note, note.signed_at)
    signature = signing.sign(note.author_id, content)
    note.digest, note.signature, note.key_id = digest(content), signature.value, signature.key_id
    note.save(update_fields=["labels", "status", "signed_at", "digest", "signature", "key_id", "changed_at"])
    record(by, Act.NOTE_SIGNED, note, detail={"version": note.version})
    return note


def _label(note: Note, sensitivity: Iterable[str] | None) -> None:
    """These categories instead of those before, and what it amends is labelled with; None leaves it as it is."""
    if sensitivity is not None:
        told = set(tokens(note.patient_id, map(Category, sensitivity)))
        note.labels = sorted(told | set(note.amends.labels if note.amends else ()))


def _own(note_id: UUID, by: Actor) -> Note:
    note = one(selectors.notes_for(by).select_for_update(of=("self",)), note_id)
    permit(by, rules.may_write, note)
    if note.status == Note.Status.SIGNED:
        raise NoteSigned
    return note
