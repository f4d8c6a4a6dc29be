"""Visits and notes over REST: shapes, codes, and what bad input gets."""

from typing import Any
from uuid import uuid4

import pytest

from consults.models import Note, Visit
from tests.cast import Cast
from tests.consults.stage import CHECK_IN, TEXT, Stage
from tests.people import Browser, ClientFor

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture
def pia(cast: Cast, client_for: ClientFor) -> Browser:
    return client_for(cast.pia)


@pytest.fixture
def cho(cast: Cast, client_for: ClientFor) -> Browser:
    return client_for(cast.dr_cho)


def test_a_visit_over_rest(stage: Stage, cast: Cast, pia: Browser, cho: Browser) -> None:
    made = pia.post(f"{V1}/visits/", {"appointment": str(stage.appointment.pk)})
    assert made.status_code == 201 and made.json()["waiting"] == "checking-in"
    address = f"{V1}/visits/{made.json()['id']}/"
    ready = pia.post(f"{address}check-in/", {**CHECK_IN, "consents": made.json()["consents_required"]})
    assert (ready.status_code, ready.json()["waiting"], ready.json()["position"]) == (200, "ready", 1)
    (row,) = cho.get(f"{V1}/waiting-room/").json()["results"]
    assert row["patient"]["name"] == "Pia Quill" and row["reason"] == "A cough" and row["waiting"] == "ready"
    assert cho.post(f"{address}admit/").json()["waiting"] == "admitted"
    ticket = pia.post(f"{address}tickets/")
    assert ticket.status_code == 201 and ticket.json()["url"] == f"/ws/visits/{made.json()['id']}/"
    for by in (cast.pia, cast.dr_cho):
        stage.connect(by)

    note = cho.post(f"{address}notes/", TEXT)
    assert note.status_code == 201 and note.headers["ETag"] == '"1"'
    place = f"{V1}/notes/{note.json()['id']}/"
    changed = cho.put(place, {**TEXT, "plan": "rest more"}, headers={"If-Match": '"1"'})
    assert changed.json()["plan"] == "rest more" and changed.headers["ETag"] == '"2"'
    assert cho.post(f"{address}complete/").json()["code"] == "note_not_signed"
    signed = cho.post(f"{place}sign/", {}, headers={"If-Match": '"2"'})
    assert (signed.json()["status"], signed.json()["intact"]) == ("signed", True)
    assert cho.post(f"{address}complete/").json()["status"] == "finished"
    summary = pia.get(f"{address}summary/").json()
    assert summary["practitioner"]["name"] == "Ana Cho"
    assert [(n["assessment"], n["plan"]) for n in summary["notes"]] == [("cold", "rest more")]
    addendum = cho.post(f"{place}addenda/", {"plan": "and fluids"})
    assert addendum.status_code == 201 and addendum.json()["amends"] == note.json()["id"]
    listed = cho.get(f"{address}notes/").json()["results"]
    assert [n["id"] for n in listed] == [addendum.json()["id"], note.json()["id"]]


def test_the_desk_sees_names_and_no_reasons(stage: Stage, cast: Cast, client_for: ClientFor) -> None:
    stage.ready()
    (row,) = client_for(cast.desk).get(f"{V1}/waiting-room/").json()["results"]
    assert row["patient"]["name"] == "Pia Quill" and "reason" not in row


def test_the_desk_does_not_learn_where_a_patient_is_and_with_whom(
    stage: Stage, cast: Cast, client_for: ClientFor, pia: Browser, cho: Browser
) -> None:
    pia.post(f"{V1}/visits/{stage.opened().pk}/check-in/", {**CHECK_IN, "others_present": "her sister"})
    for browser, shown in ((client_for(cast.desk), False), (cho, True)):
        told, page = browser.get(f"{V1}/visits/{stage.id}/"), browser.get(f"/visits/{stage.id}/lobby/")
        assert told.status_code == page.status_code == 200
        assert told.json()["callback"] == CHECK_IN["callback"] and CHECK_IN["callback"].encode() in page.content
        assert ("others_present" in told.json(), "location" in told.json()) == (shown, shown)
        for secret in (b"her sister", b"Paper Mill"):
            assert ((secret in told.content), (secret in page.content)) == (shown, shown)


def test_the_same_key_opens_one_visit(stage: Stage, pia: Browser) -> None:
    told = {"appointment": str(stage.appointment.pk)}
    replies = [pia.post(f"{V1}/visits/", told, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json()["id"] == replies[1].json()["id"] and Visit.objects.count() == 1


BAD_CHECK_INS: list[Any] = [
    ({**CHECK_IN, "extra": 1}, "invalid"),
    ({key: value for key, value in CHECK_IN.items() if key != "location"}, "invalid"),
    ({**CHECK_IN, "location": "1 Elm Street"}, "invalid"),
    ({**CHECK_IN, "location": {**CHECK_IN["location"], "state": "Massachusetts"}}, "invalid"),
    ({**CHECK_IN, "location": {**CHECK_IN["location"], "line": ""}}, "location_required"),
    ({**CHECK_IN, "location": {**CHECK_IN["location"], "line": "x" * 201}}, "invalid"),
    ({**CHECK_IN, "callback": "call me"}, "invalid"),
    ({**CHECK_IN, "identity": {"method": "trust-me", "confirmed": True}}, "invalid"),
    ({**CHECK_IN, "identity": {"method": "photo-id", "confirmed": False}}, "identity_not_confirmed"),
    ({**CHECK_IN, "consents": {}}, "invalid"),
    ({**CHECK_IN, "consents": [CHECK_IN["consents"][0]] * 11}, "invalid"),
    ({**CHECK_IN, "consents": []}, "consent_required"),
    ([], "invalid"),
    ("7", "invalid"),
]


@pytest.mark.parametrize(("told", "code"), BAD_CHECK_INS, ids=range(len(BAD_CHECK_INS)))
def test_bad_check_ins(stage: Stage, pia: Browser, told: Any, code: str) -> None:
    reply = pia.post(f"{V1}/visits/{stage.opened().pk}/check-in/", told)
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert "Paper Mill" not in reply.content.decode()


def test_a_provider_without_a_licence_there(stage: Stage, pia: Browser) -> None:
    told = {**CHECK_IN, "location": {**CHECK_IN["location"], "state": "NV"}}
    reply = pia.post(f"{V1}/visits/{stage.opened().pk}/check-in/", told)
    assert (reply.status_code, reply.json()["code"]) == (409, "provider_not_licensed_there")


@pytest.mark.parametrize("path", ["", "check-in/", "leave/", "tickets/", "summary/", "notes/", "admit/", "complete/"])
def test_not_yours_and_not_there_look_alike(stage: Stage, cast: Cast, client_for: ClientFor, path: str) -> None:
    visit, dee = stage.ready(), client_for(cast.dr_dee)
    method = dee.get if path in ("", "summary/", "notes/") else dee.post
    told = {"check-in/": CHECK_IN}.get(path, {})
    theirs, nobodys = (method(f"{V1}/visits/{pk}/{path}", told if method == dee.post else None) for pk in (visit.pk, uuid4()))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()


def test_steps_out_of_order(stage: Stage, cho: Browser) -> None:
    reply = cho.post(f"{V1}/visits/{stage.opened().pk}/admit/")
    assert (reply.status_code, reply.json()["code"]) == (409, "not_in_this_state")


def test_notes_want_a_version(stage: Stage, cast: Cast, cho: Browser) -> None:
    stage.in_call()
    note = cho.post(f"{V1}/visits/{stage.id}/notes/", TEXT).json()["id"]
    assert cho.put(f"{V1}/notes/{note}/", TEXT).status_code == 428
    assert cho.put(f"{V1}/notes/{note}/", TEXT, headers={"If-Match": '"7"'}).status_code == 412
    assert cho.put(f"{V1}/notes/{note}/", {**TEXT, "plan": {}}, headers={"If-Match": '"1"'}).status_code == 400
    assert cho.put(f"{V1}/notes/{note}/", {"plan": "x" * 20_001}, headers={"If-Match": '"1"'}).status_code == 400
    again = cho.post(f"{V1}/visits/{stage.id}/notes/", TEXT)
    assert (again.status_code, again.json()["code"]) == (409, "draft_exists")
    assert cho.post(f"{V1}/notes/{note}/sign/", {"code": 1}).status_code == 400
    assert Note.objects.get(pk=note).status == "draft"


def test_patients_read_no_notes_but_their_summary(stage: Stage, cast: Cast, pia: Browser) -> None:
    stage.in_call()
    note = stage.signed_note()
    assert pia.get(f"{V1}/notes/{note}/").status_code == 404
    assert pia.get(f"{V1}/visits/{stage.id}/notes/").status_code == 404
    assert (pia.get(f"{V1}/visits/{stage.id}/summary/").status_code) == 409
