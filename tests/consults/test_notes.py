"""A signed note never changes (contract C9): not by us, not by SQL, and not unnoticed by the database's owner."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.ledger import Act
from consults import selectors, services
from consults.errors import DraftExists, NoteEmpty, NoteNotSigned, NoteSigned, VisitEnded
from consults.models import Note
from consults.signed import is_intact
from telehealth.core.errors import Missing
from telehealth.rest.errors import VersionChanged
from telehealth.vault.fields import Sealed
from tests.cast import Cast
from tests.consults.stage import TEXT, Stage, appoint
from tests.people import Acts

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(stage: Stage, cast: Cast) -> Note:
    return services.draft(visit_id=stage.in_call().pk, parts=TEXT, by=cast.dr_cho)


@pytest.fixture
def signed(draft: Note, cast: Cast) -> Note:
    return services.sign(note_id=draft.pk, by=cast.dr_cho)


def stored(note: Note) -> Note:
    return Note.objects.get(pk=note.pk)


def test_a_draft_is_rewritten_by_its_author_and_versions_hold(draft: Note, cast: Cast, acts: Acts) -> None:
    services.revise(note_id=draft.pk, version=1, parts={**TEXT, "plan": "rest more"}, by=cast.dr_cho)
    with pytest.raises(VersionChanged):
        services.revise(note_id=draft.pk, version=1, parts=TEXT, by=cast.dr_cho)
    assert stored(draft).body["plan"] == "rest more" and stored(draft).version == 2
    assert acts() == [Act.NOTE_REVISED]


def test_signing_a_version_that_another_tab_changed_is_refused(draft: Note, cast: Cast) -> None:
    services.revise(note_id=draft.pk, version=1, parts=TEXT, by=cast.dr_cho)
    with pytest.raises(VersionChanged):
        services.sign(note_id=draft.pk, version=1, by=cast.dr_cho)
    assert stored(draft).status == "draft"


@pytest.mark.parametrize("who", ["dr_dee", "pia", "gus", "ned", "nan", "desk", "admin"])
def test_a_draft_is_its_authors_alone(draft: Note, cast: Cast, who: str) -> None:
    by = getattr(cast, who)
    for attempt in (
        lambda: services.revise(note_id=draft.pk, version=1, parts=TEXT, by=by),
        lambda: services.sign(note_id=draft.pk, by=by),
        lambda: services.draft(visit_id=draft.visit_id, parts=TEXT, by=by),
        lambda: selectors.note_for(by, draft.pk),
    ):
        with pytest.raises(Missing):
            attempt()


def test_one_draft_at_a_time(draft: Note, cast: Cast) -> None:
    with pytest.raises(DraftExists):
        services.draft(visit_id=draft.visit_id, parts=TEXT, by=cast.dr_cho)
    with pytest.raises(IntegrityError, match="note_one_draft_per_author"), transaction.atomic():
        Note.objects.create(visit=draft.visit, patient=draft.patient, author_id=draft.author_id, body=TEXT)


def test_an_empty_note_is_not_signed(stage: Stage, cast: Cast) -> None:
    note = services.draft(visit_id=stage.in_call().pk, parts={"plan": "  "}, by=cast.dr_cho)
    with pytest.raises(NoteEmpty):
        services.sign(note_id=note.pk, by=cast.dr_cho)


def test_no_note_in_a_cancelled_visit(stage: Stage, cast: Cast) -> None:
    visit = stage.ready()
    services.remove(visit_id=visit.pk, by=cast.dr_cho)
    with pytest.raises(VisitEnded):
        services.draft(visit_id=visit.pk, parts=TEXT, by=cast.dr_cho)


def test_a_signed_note_is_intact_and_closed_to_its_author(signed: Note, cast: Cast) -> None:
    assert is_intact(stored(signed)) is True
    for attempt in (
        lambda: services.revise(note_id=signed.pk, version=1, parts=TEXT, by=cast.dr_cho),
        lambda: services.sign(note_id=signed.pk, by=cast.dr_cho),
    ):
        with pytest.raises(NoteSigned):
            attempt()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consults_note SET body = body",
        "UPDATE consults_note SET status = 'draft', signed_at = NULL, digest = NULL, signature = NULL, key_id = NULL",
        "UPDATE consults_note SET version = version + 1",
        "UPDATE consults_note SET visit_id = visit_id",
        "DELETE FROM consults_note",
        "INSERT INTO consults_note SELECT * FROM consults_note ON CONFLICT (id) DO UPDATE SET version = 9",
    ],
)
def test_sql_of_the_runtime_role_does_not_change_it(signed: Note, statement: str) -> None:
    with pytest.raises(IntegrityError, match="a signed note does not change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert is_intact(stored(signed)) is True


def test_the_runtime_role_cannot_take_the_guard_away(signed: Note) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert "app" in cursor.fetchone()[0]
    for statement in ("ALTER TABLE consults_note DISABLE TRIGGER ALL", "DROP TRIGGER note_signed_stands ON consults_note"):
        with pytest.raises(Exception, match="must be owner"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_orm_cannot_either(signed: Note) -> None:
    note = stored(signed)
    note.body = {**note.body, "plan": "something else"}
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
        note.save()
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
        Note.objects.filter(pk=note.pk).delete()


def test_a_draft_cannot_pretend_to_be_signed(draft: Note) -> None:
    with pytest.raises(IntegrityError, match="note_signed_is_signed"), transaction.atomic():
        Note.objects.filter(pk=draft.pk).update(status="signed")


def test_an_addendum_stands_beside_what_it_amends(signed: Note, cast: Cast) -> None:
    addendum = services.amend(note_id=signed.pk, parts={"plan": "and fluids"}, by=cast.dr_cho)
    with pytest.raises(NoteNotSigned):
        services.amend(note_id=addendum.pk, parts=TEXT, by=cast.dr_cho)
    services.sign(note_id=addendum.pk, by=cast.dr_cho)
    assert is_intact(stored(signed)) and is_intact(stored(addendum))
    assert stored(addendum).amends_id == signed.pk and stored(signed).body["plan"] == "rest"


def test_after_the_visit_the_addendum_still_comes_and_the_summary_shows_it(stage: Stage, signed: Note, cast: Cast) -> None:
    services.complete(visit_id=stage.id, by=cast.dr_cho)
    addendum = services.amend(note_id=signed.pk, parts={"plan": "and fluids"}, by=cast.dr_cho)
    services.sign(note_id=addendum.pk, by=cast.dr_cho)
    for by in (cast.pia, cast.gus, cast.dr_cho):
        assert [note.pk for note in selectors.summary_for(by, stage.id).notes] == [signed.pk, addendum.pk]
    for by in (cast.ned, cast.dr_dee, cast.desk, cast.biller, cast.admin):
        with pytest.raises(Missing):
            selectors.summary_for(by, stage.id)


def test_drafts_are_seen_by_their_author_and_signed_notes_by_who_cares(draft: Note, cast: Cast) -> None:
    assert list(selectors.notes_of(cast.dr_cho, draft.visit_id)) == [draft]
    assert list(selectors.notes_of(cast.nan, draft.visit_id)) == []
    services.sign(note_id=draft.pk, by=cast.dr_cho)
    assert [note.pk for note in selectors.notes_of(cast.nan, draft.visit_id)] == [draft.pk]
    with pytest.raises(Missing):
        selectors.notes_of(cast.ned, draft.visit_id)


@given(text=st.dictionaries(st.sampled_from(list(TEXT)), st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_verifies(draft: Note, cast: Cast, text: dict[str, str]) -> None:
    savepoint = transaction.savepoint()
    note = services.revise(note_id=draft.pk, version=draft.version, parts={**TEXT, **text, "objective": "x"}, by=cast.dr_cho)
    services.sign(note_id=note.pk, by=cast.dr_cho)
    assert is_intact(stored(note)) is True
    transaction.savepoint_rollback(savepoint)


# The database's owner can take the trigger away. What they do then shows.

Tamper = Callable[[Note, Note], dict[str, Any]]
TAMPERINGS: dict[str, Tamper] = {
    "another signed text": lambda note, other: {"digest": other.digest, "signature": other.signature},
    "the signature alone": lambda note, other: {"signature": other.signature},
    "the digest alone": lambda note, other: {"digest": other.digest},
    "the time": lambda note, other: {"signed_at": note.signed_at + timedelta(microseconds=1)},
    "the author": lambda note, other: {"author_id": other.pk},
    "the visit": lambda note, other: {"visit_id": other.visit_id},
    "what it amends": lambda note, other: {"amends_id": other.pk},
    "the version": lambda note, other: {"version": note.version + 1},
    "the key": lambda note, other: {"key_id": other.pk},
}


@pytest.mark.django_db(transaction=True)
def test_every_edit_by_the_owner_is_detected(stage: Stage, cast: Cast, as_owner: Any) -> None:
    old_text = services.draft(visit_id=stage.in_call().pk, parts=TEXT, by=cast.dr_cho)
    earlier = bytes(raw_body(old_text))
    services.revise(note_id=old_text.pk, version=1, parts={**TEXT, "plan": "amputate"}, by=cast.dr_cho)
    note = services.sign(note_id=old_text.pk, by=cast.dr_cho)
    other = other_signed_note(cast)
    as_owner("ALTER TABLE consults_note DISABLE TRIGGER note_signed_stands")
    try:
        for name, tamper in TAMPERINGS.items():
            change = tamper(note, other)
            before = {column: getattr(note, column) for column in change}
            write(as_owner, note, change)
            assert is_intact(stored(note)) is False, name
            write(as_owner, note, before)
            assert is_intact(stored(note)) is True, name
        write(as_owner, note, {"body": earlier})
        assert stored(note).body["plan"] == "rest" and is_intact(stored(note)) is False, "an earlier draft's text put back"
    finally:
        as_owner("ALTER TABLE consults_note ENABLE TRIGGER note_signed_stands")


def raw_body(note: Note) -> bytes:
    (body,) = Note.objects.values_list("body", flat=True).filter(pk=note.pk)
    assert isinstance(body, Sealed)
    return body.raw


def other_signed_note(cast: Cast) -> Note:
    other = Stage(cast, appoint(cast.pia_record, cast.cho, timedelta(minutes=40)))
    other.in_call()
    return Note.objects.get(pk=other.signed_note())


def write(as_owner: Any, note: Note, change: dict[str, Any]) -> None:
    for column, value in change.items():
        given = bytes(value) if isinstance(value, memoryview) else value
        as_owner(f"UPDATE consults_note SET {column} = %s WHERE id = %s", given, note.pk)
