"""A note that its author labels: who has no consent for the label does not learn that there is one (45 CFR 164.501, 164.508)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.ledger import Act, uuid7
from audit.ledger.models import Entry
from consults import selectors, services
from consults.errors import NoteNotSigned
from consults.models import Note
from consults.signed import is_intact
from telehealth.core import now
from telehealth.core.owner import OWNER
from telehealth.records.labels import REDISCLOSURE, Category, tokens
from telehealth.records.models import CareRelationship, Covering
from telehealth.records.services import give_consent, withdraw_consent
from telehealth.vault import destroying, sealed_rows
from tests.cast import Cast
from tests.consults.stage import TEXT, Stage
from tests.people import Browser, ClientFor

V1 = "/api/v1"
PSYCHOTHERAPY = [Category.PSYCHOTHERAPY.value]


@pytest.fixture
def labelled(stage: Stage, cast: Cast) -> Note:
    """Dr Cho's psychotherapy note beside the visit's own note; dr_dee stands in for dr_cho."""
    stage.in_call()
    note = services.draft(visit_id=stage.id, parts={**TEXT, "subjective": "Canary of the couch"}, sensitivity=PSYCHOTHERAPY, by=cast.dr_cho)
    services.sign(note_id=note.pk, by=cast.dr_cho)
    stage.signed_note()
    Covering.objects.create(
        covered=cast.cho, covering=cast.dee, arranged_by=uuid7(), starts_at=now() - timedelta(hours=1), ends_at=now() + timedelta(hours=1)
    )
    return Note.objects.get(pk=note.pk)


def ways(browser: Browser, note: Note) -> set[bool]:
    """Whether this browser sees the note: in the visit's list, one by one, on the visit's page; and a page's total tells no more."""
    listed = browser.get(f"{V1}/visits/{note.visit_id}/notes/")
    short = browser.get(f"{V1}/visits/{note.visit_id}/notes/?limit=1")
    assert listed.status_code == short.status_code == 200
    rows = [row["id"] for row in listed.json()["results"]]
    assert bool(short.json()["next"]) == (len(rows) > 1)
    page = browser.get(f"/visits/{note.visit_id}/note/")
    assert page.status_code == 200
    return {str(note.pk) in rows, browser.get(f"{V1}/notes/{note.pk}/").status_code == 200, b"couch" in page.content}


def consented(cast: Cast, recipient: dict[str, Any], category: Category = Category.PSYCHOTHERAPY) -> Any:
    return give_consent(patient_id=cast.pia_record.pk, category=category, recipient=recipient, text_version="1", by=cast.pia)


def test_its_author_sees_it_and_a_colleague_in_care_does_not(labelled: Note, cast: Cast, client_for: ClientFor) -> None:
    assert ways(client_for(cast.dr_cho), labelled) == {True}
    for colleague in (cast.dr_dee, cast.nan):
        assert ways(client_for(colleague), labelled) == {False}


def test_whom_the_patient_consents_to_sees_it_until_that_is_withdrawn(labelled: Note, cast: Cast, client_for: ClientFor) -> None:
    dee, nan = client_for(cast.dr_dee), client_for(cast.nan)
    given = consented(cast, {"kind": "practitioner", "practitioner": cast.dee.pk})
    assert (ways(dee, labelled), ways(nan, labelled)) == ({True}, {False})
    withdraw_consent(consent_id=given.pk, by=cast.pia)
    assert ways(dee, labelled) == {False}


def test_another_categorys_consent_does_not_show_it(labelled: Note, cast: Cast, client_for: ClientFor) -> None:
    consented(cast, {"kind": "care_team"}, Category.SUBSTANCE_USE)
    assert ways(client_for(cast.dr_dee), labelled) == {False}


def test_neither_patient_nor_proxy_nor_colleague_finds_it_in_the_summary(
    labelled: Note, stage: Stage, cast: Cast, client_for: ClientFor
) -> None:
    services.complete(visit_id=stage.id, by=cast.dr_cho)
    consented(cast, {"kind": "care_team"})
    for who in (cast.pia, cast.gus, cast.dr_dee, cast.nan, cast.dr_cho):
        reply = client_for(who).get(f"{V1}/visits/{stage.id}/summary/")
        assert (reply.status_code, len(reply.json()["notes"])) == (200, 1)
        assert str(labelled.pk).encode() not in reply.content and b"couch" not in reply.content


def test_an_emergency_lays_it_open_to_nobody(labelled: Note, cast: Cast, client_for: ClientFor) -> None:
    Covering.objects.all().delete()
    dee = client_for(cast.dr_dee)
    told = {"patient": str(cast.pia_record.pk), "reason": "unresponsive", "text": "Found on the floor."}
    assert dee.post(f"{V1}/emergency-accesses/", told).status_code == 201
    rows = dee.get(f"{V1}/visits/{labelled.visit_id}/notes/").json()["results"]
    assert len(rows) == 1 and dee.get(f"{V1}/notes/{labelled.pk}/").status_code == 404


def test_what_is_hidden_is_opened_for_nobody_and_looks_like_nothing(labelled: Note, cast: Cast, client_for: ClientFor) -> None:
    nan, since = client_for(cast.nan), uuid7()
    hidden, missing = nan.get(f"{V1}/notes/{labelled.pk}/"), nan.get(f"{V1}/notes/{uuid7()}/")
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content) == (404, missing.content)
    nan.get(f"{V1}/visits/{labelled.visit_id}/notes/")
    opened = Entry.objects.get(id__gt=since, act=Act.RECORD_OPENED, actor_id=cast.nan.id)
    assert "consults.Note" in str(opened.detail) and str(labelled.pk) not in str(opened.detail)


def test_after_the_care_ends_its_author_does_not_see_it(labelled: Note, cast: Cast) -> None:
    CareRelationship.objects.update(ends_at=now())
    assert not selectors.notes_for(cast.dr_cho).exists()


@pytest.mark.parametrize("by_hand", ["draft", "revise", "sign"])
def test_the_author_says_it_when_drafting_revising_or_signing(stage: Stage, cast: Cast, client_for: ClientFor, by_hand: str) -> None:
    stage.in_call()
    cho, told = client_for(cast.dr_cho), {"sensitivity": PSYCHOTHERAPY}
    made = cho.post(f"{V1}/visits/{stage.id}/notes/", {**TEXT, **(told if by_hand == "draft" else {})}).json()
    address, version = f"{V1}/notes/{made['id']}/", {"If-Match": '"1"'}
    if by_hand == "revise":
        assert cho.put(address, {**TEXT, **told}, headers=version).status_code == 200
    signed = cho.post(f"{address}sign/", told if by_hand == "sign" else {}).json()
    assert (signed["sensitivity"], signed["status"]) == (PSYCHOTHERAPY, "signed")
    assert Note.objects.get(pk=made["id"]).labels == tokens(cast.pia_record.pk, [Category.PSYCHOTHERAPY])


def test_a_revision_that_says_nothing_of_it_keeps_the_label(stage: Stage, cast: Cast) -> None:
    stage.in_call()
    note = services.draft(visit_id=stage.id, parts=TEXT, sensitivity=PSYCHOTHERAPY, by=cast.dr_cho)
    kept = services.revise(note_id=note.pk, version=1, parts=TEXT, by=cast.dr_cho)
    assert kept.labels == note.labels != []
    assert services.revise(note_id=note.pk, version=2, parts=TEXT, sensitivity=[], by=cast.dr_cho).labels == []


def test_an_addendum_is_as_sensitive_as_what_it_amends(labelled: Note, cast: Cast) -> None:
    addendum = services.amend(note_id=labelled.pk, parts=TEXT, by=cast.dr_cho)
    assert addendum.labels == labelled.labels
    assert services.revise(note_id=addendum.pk, version=1, parts=TEXT, sensitivity=[], by=cast.dr_cho).labels == labelled.labels


def test_a_psychotherapy_note_does_not_complete_a_visit(stage: Stage, cast: Cast) -> None:
    stage.in_call()
    note = services.draft(visit_id=stage.id, parts=TEXT, sensitivity=PSYCHOTHERAPY, by=cast.dr_cho)
    services.sign(note_id=note.pk, by=cast.dr_cho)
    assert not selectors.has_signed_note(cast.dr_cho, stage.id)
    with pytest.raises(NoteNotSigned):
        services.complete(visit_id=stage.id, by=cast.dr_cho)
    stage.signed_note()
    assert services.complete(visit_id=stage.id, by=cast.dr_cho).ended


def test_the_signature_covers_the_label(labelled: Note) -> None:
    assert is_intact(labelled) is True
    labelled.labels = []
    assert is_intact(labelled) is False


def test_part_2_notes_carry_their_notice(stage: Stage, cast: Cast, client_for: ClientFor) -> None:
    stage.in_call()
    note = services.draft(visit_id=stage.id, parts=TEXT, sensitivity=["SUD"], by=cast.dr_cho)
    services.sign(note_id=note.pk, by=cast.dr_cho)
    services.complete(visit_id=stage.id, by=cast.dr_cho)
    shown = client_for(cast.dr_cho).get(f"{V1}/notes/{note.pk}/").json()
    assert (shown["sensitivity"], shown["notice"]) == (["SUD"], REDISCLOSURE)
    summary = client_for(cast.pia).get(f"{V1}/visits/{stage.id}/summary/").json()
    assert [row["notice"] for row in summary["notes"]] == [REDISCLOSURE]
    assert client_for(cast.nan).get(f"{V1}/visits/{stage.id}/summary/").json()["notes"] == []
    assert REDISCLOSURE in client_for(cast.dr_cho).get(f"/visits/{stage.id}/note/").content.decode()


def test_the_form_of_the_visit_labels_it_and_the_visits_own_note_is_still_to_write(stage: Stage, cast: Cast, client_for: ClientFor) -> None:
    stage.in_call()
    cho, address = client_for(cast.dr_cho), f"/visits/{stage.id}/note/"
    cho.form(address, **TEXT, note="", version="", sensitivity=PSYCHOTHERAPY)
    draft = Note.objects.get()
    assert draft.labels == tokens(cast.pia_record.pk, [Category.PSYCHOTHERAPY])
    assert cho.get(address).content.decode().count(" checked") == 1
    signed = cho.form(f"{address}sign/", **TEXT, note=str(draft.pk), version="1", sensitivity=PSYCHOTHERAPY).content.decode()
    assert "Psychotherapy notes" in signed and "<textarea" in signed
    assert cho.form(f"{address}sign/", **TEXT, note="", version="").status_code == 200
    assert sorted(len(note.labels) for note in Note.objects.all()) == [0, 1]


@pytest.mark.parametrize("wrong", [["XYZ"], "PSYTHPN", [{}], ["HIV"] * 9])
def test_an_unknown_label_is_refused(stage: Stage, cast: Cast, client_for: ClientFor, wrong: Any) -> None:
    stage.in_call()
    reply = client_for(cast.dr_cho).post(f"{V1}/visits/{stage.id}/notes/", {**TEXT, "sensitivity": wrong})
    assert reply.status_code == 400 and not Note.objects.exists()


def test_it_is_not_counted_either(labelled: Note, cast: Cast) -> None:
    counts = [selectors.notes_of(by, labelled.visit_id).count() for by in (cast.dr_cho, cast.nan, cast.dr_dee)]
    assert counts == [2, 1, 1]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_destroying_the_record_takes_the_label_too_and_nothing_else_does(labelled: Note, cast: Cast) -> None:
    with transaction.atomic(using=OWNER):
        sealed_rows.open_door(cast.pia_record.pk, OWNER)
        with pytest.raises(IntegrityError, match="does not change"), transaction.atomic(using=OWNER):
            Note.objects.using(OWNER).filter(pk=labelled.pk).update(labels=["0" * 16])
        assert destroying.erase(Note, "patient_id", cast.pia_record.pk, OWNER) == 2
        assert list(Note.objects.using(OWNER).values_list("labels", flat=True)) == [[], []]
