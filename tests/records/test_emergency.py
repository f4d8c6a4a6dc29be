"""Emergency access: little is told before it is declared, one record is seen after, and nothing of it is unseen."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from audit.ledger import Act, uuid7
from audit.ledger.models import Entry
from telehealth.accounts.access import Role
from telehealth.outbox.models import Message
from telehealth.records.models import ClinicalResource, EmergencyAccess
from tests.cast import Cast, make_actor, make_patient
from tests.people import Browser, ClientFor

LOCATE, DECLARE = "/api/v1/patients/locate/", "/api/v1/emergency-accesses/"
WHY = {"reason": "unresponsive", "text": "Found on the floor of the lobby."}


@pytest.fixture
def dee(cast: Cast, client_for: ClientFor) -> Browser:
    """dr_dee, who does not care for pia."""
    return client_for(cast.dr_dee)


def declared(browser: Browser, cast: Cast) -> Any:
    reply = browser.post(DECLARE, {"patient": str(cast.pia_record.pk), **WHY})
    assert reply.status_code == 201
    return reply.json()


def record_of(cast: Cast) -> str:
    return f"/api/v1/patients/{cast.pia_record.pk}/"


@pytest.mark.parametrize("facts", [{"mrn": "mrn quill pia"}, {"family": "QUILL", "given": "Pia", "birth_date": "1990-02-03"}])
def test_exact_facts_lead_to_an_id_and_initials(cast: Cast, dee: Browser, facts: dict[str, str]) -> None:
    assert dee.post(LOCATE, facts).json() == {"patient": str(cast.pia_record.pk), "initials": "P. Q."}
    assert dee.get(record_of(cast)).status_code == 404  # found is not opened


@pytest.mark.parametrize(
    "facts",
    [
        {"mrn": "MRN-Quill"},
        {"family": "Quill", "given": "P", "birth_date": "1990-02-03"},
        {"family": "Quil", "given": "Pia", "birth_date": "1990-02-03"},
        {"family": "Quill", "given": "Pia", "birth_date": "1990-02-04"},
    ],
)
def test_what_fits_nearly_finds_nobody_and_is_on_record(cast: Cast, dee: Browser, facts: dict[str, str]) -> None:
    since = uuid7()
    assert dee.post(LOCATE, facts).json() == {"patient": None, "initials": ""}
    entry = Entry.objects.get(id__gt=since, act=Act.RECORD_LOCATED)
    assert (entry.actor_id, entry.record_id, '"found":0' in entry.detail) == (cast.dr_dee.id, None, True)
    assert not Entry.objects.filter(id__gt=since, act=Act.RECORD_OPENED).exists()


def test_two_whom_it_fits_are_nobody(cast: Cast, dee: Browser) -> None:
    make_patient("Quill", "Pia", mrn="another")
    assert dee.post(LOCATE, {"family": "Quill", "given": "Pia", "birth_date": "1990-02-03"}).json()["patient"] is None


@pytest.mark.parametrize("facts", [{}, {"family": "Quill"}, {"family": "Quill", "given": "Pia"}, {"birth_date": "1990-02-03"}])
def test_one_fact_is_not_enough(dee: Browser, facts: dict[str, str]) -> None:
    reply = dee.post(LOCATE, facts)
    assert (reply.status_code, reply.json()["code"]) == (400, "nothing_to_search_for")


def test_looking_for_many_is_slowed_down(dee: Browser) -> None:
    told = [dee.post(LOCATE, {"mrn": f"guess {n}"}).status_code for n in range(13)]
    assert told[:10] == [200] * 10 and told[-1] == 429


def test_the_patient_sees_that_somebody_looked(cast: Cast, dee: Browser, client_for: ClientFor) -> None:
    dee.post(LOCATE, {"mrn": "MRN-Quill-Pia"})
    seen = client_for(cast.pia).get(f"{record_of(cast)}accesses/").json()["results"]
    assert [row["who"]["id"] for row in seen if row["act"] == "record.located"] == [str(cast.dr_dee.id)]


def test_a_declared_emergency_opens_one_record_for_an_hour(cast: Cast, dee: Browser) -> None:
    ClinicalResource.objects.create(patient=cast.pia_record, type="Condition", body="{}", body_key=b"k" * 32)
    made, since = declared(dee, cast), uuid7()
    assert dee.get(record_of(cast)).json()["family"] == "Quill"
    assert len(dee.get(f"{record_of(cast)}resources/").json()["results"]) == 1
    assert dee.get(f"/api/v1/patients/{cast.ned_record.pk}/").status_code == 404
    opened = Entry.objects.filter(id__gt=since, act=Act.RECORD_OPENED, actor_id=cast.dr_dee.id)
    assert {(entry.record_id, entry.purpose) for entry in opened} == {(cast.pia_record.pk, "BTG")}
    assert EmergencyAccess.objects.get(pk=made["id"]).text == WHY["text"]
    hour = timedelta(minutes=60)
    EmergencyAccess.objects.update(starts_at=F("starts_at") - hour, ends_at=F("ends_at") - hour)
    assert dee.get(record_of(cast)).status_code == 404


def test_it_gives_no_more_than_looking(cast: Cast, dee: Browser) -> None:
    declared(dee, cast)
    booked = dee.post("/api/v1/appointments/", {"patient": str(cast.pia_record.pk)})
    assert booked.status_code in (400, 404) and booked.status_code != 201


def test_another_session_of_the_same_person_sees_nothing(cast: Cast, dee: Browser, client_for: ClientFor) -> None:
    declared(dee, cast)
    assert client_for(cast.dr_dee).get(record_of(cast)).status_code == 404


def test_ended_by_hand_it_is_over_at_once(cast: Cast, dee: Browser, client_for: ClientFor) -> None:
    made = declared(dee, cast)
    assert client_for(cast.dr_cho).post(f"{DECLARE}{made['id']}/end/").status_code == 404
    assert dee.post(f"{DECLARE}{made['id']}/end/").status_code == 200
    assert dee.get(record_of(cast)).status_code == 404
    assert Entry.objects.filter(act=Act.EMERGENCY_ENDED).count() == 1


def test_it_needs_a_fresh_factor(cast: Cast, client_for: ClientFor) -> None:
    tired = client_for(cast.dr_dee, factor_at=timezone.now() - timedelta(minutes=6))
    reply = tired.post(DECLARE, {"patient": str(cast.pia_record.pk), **WHY})
    assert (reply.status_code, reply.json()["code"]) == (403, "fresh_factor_required")
    assert not EmergencyAccess.objects.exists()


@pytest.mark.parametrize("wrong", [{"reason": "curious"}, {"text": ""}, {"text": "why not"}, {"patient": "x"}])
def test_it_needs_a_reason_and_words(cast: Cast, dee: Browser, wrong: dict[str, str]) -> None:
    assert dee.post(DECLARE, {"patient": str(cast.pia_record.pk), **WHY, **wrong}).status_code == 400


@pytest.mark.parametrize("who", ["pia", "gus", "desk", "biller", "privacy", "admin"])
def test_only_who_treats_declares(cast: Cast, client_for: ClientFor, who: str) -> None:
    browser = client_for(getattr(cast, who))
    assert browser.post(DECLARE, {"patient": str(cast.pia_record.pk), **WHY}).status_code == 404
    assert browser.post(LOCATE, {"mrn": "MRN-Quill-Pia"}).status_code == 404


def test_privacy_officers_are_told_at_once_and_read_why(cast: Cast, dee: Browser, client_for: ClientFor) -> None:
    other = make_actor("second", Role.PRIVACY_OFFICER)
    made = declared(dee, cast)
    told = Message.objects.filter(kind="emergency_access", object_id=made["id"])
    assert {message.person_id for message in told} == {cast.privacy.id, other.id}
    officer = client_for(cast.privacy)
    assert [row["id"] for row in officer.get(DECLARE).json()["results"]] == [made["id"]]
    assert officer.get(f"{DECLARE}{made['id']}/").json()["text"] == WHY["text"]
    assert client_for(cast.dr_cho).get(f"{DECLARE}{made['id']}/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"lasts": timedelta(minutes=61)}, "emergency_lasts_an_hour_at_most"),
        ({"lasts": timedelta(minutes=-1)}, "emergency_ends_after_it_starts"),
        ({"reason": "curious"}, "emergency_reason_is_known"),
    ],
)
def test_the_table_itself_refuses_more(cast: Cast, wrong: dict[str, Any], constraint: str) -> None:
    at, reason = timezone.now(), wrong.get("reason", "unresponsive")
    access = EmergencyAccess(
        patient=cast.pia_record, account=cast.dr_dee.account, session="", reason_code=reason, text="long", starts_at=at
    )
    access.ends_at = at + wrong.get("lasts", timedelta(minutes=1))
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        access.save()


def test_the_portal_walks_the_same_way(cast: Cast, client_for: ClientFor) -> None:
    tired = client_for(cast.dr_dee, factor_at=timezone.now() - timedelta(minutes=6))
    found = tired.form("/emergency/", mrn="MRN-Quill-Pia")
    declare = f"/emergency/{cast.pia_record.pk}/"
    told = found.content.decode()
    assert declare in told and "P. Q." in told and "1990" not in told
    assert tired.get(declare)["Location"].startswith("/step-up/?next=")
    dee = client_for(cast.dr_dee)
    assert dee.get(f"{declare}record/").status_code == 404
    opened = dee.form(declare, **WHY)
    assert opened["Location"] == f"{declare}record/"
    assert dee.get(opened["Location"]).status_code == 200
    banner = dee.get(f"/patients/{cast.pia_record.pk}/banner/").content.decode()
    assert "Emergency access until" in banner and "Quill" in banner
