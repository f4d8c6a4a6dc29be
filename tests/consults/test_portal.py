"""The pages of visits: who sees what of them, and what they do."""

import pytest
from django.test import override_settings
from django.utils.timezone import now

from audit.ledger import Act
from consults.models import Note, Visit
from consults.states import Encounter, Waiting
from telehealth.accounts.models import User
from tests.cast import Cast
from tests.consults.stage import TEXT, Stage
from tests.people import Acts, Browser, ClientFor


@pytest.fixture
def cho(cast: Cast, client_for: ClientFor) -> Browser:
    return client_for(cast.dr_cho)


def test_today_shows_a_provider_their_own_day(cast: Cast, stage: Stage, client_for: ClientFor) -> None:
    stage.ready()

    mine = client_for(cast.dr_cho).get("/today/").content.decode()
    theirs = client_for(cast.dr_dee).get("/today/").content.decode()

    assert "Quill, Pia" in mine and "A cough" in mine and "ready, waiting" in mine
    assert "Quill" not in theirs and "No appointments today" in theirs


def test_the_reason_is_for_those_who_care_and_not_for_the_desk(cast: Cast, stage: Stage, client_for: ClientFor) -> None:
    stage.ready()

    assert "A cough" in client_for(cast.nan).get("/today/").content.decode()
    seen = client_for(cast.desk).get("/today/").content.decode()
    assert "Quill, Pia" in seen and "A cough" not in seen


def test_only_the_visits_own_provider_is_offered_and_granted_admission(cast: Cast, stage: Stage, client_for: ClientFor) -> None:
    visit = stage.ready()
    address = f"/visits/{visit.pk}/admit/"

    assert address not in client_for(cast.nan).get("/today/").content.decode()
    assert client_for(cast.nan).form(address).status_code == 404
    assert client_for(cast.dr_dee).form(address).status_code == 404
    assert stage.visit.waiting == Waiting.READY

    reply = client_for(cast.dr_cho).form(address)
    assert reply.status_code == 200 and "admitted" in reply.content.decode()
    assert stage.visit.waiting == Waiting.ADMITTED


def test_only_the_visits_own_provider_is_led_to_its_page(cast: Cast, stage: Stage, client_for: ClientFor) -> None:
    visit = stage.ready()

    def led(who: User) -> bool:
        return f'href="/visits/{visit.pk}/"' in client_for(who).get("/today/").content.decode()

    assert [led(who) for who in (cast.dr_cho, cast.nan, cast.desk)] == [True, False, False]
    Visit.objects.filter(pk=visit.pk).update(status=Encounter.FINISHED, waiting=Waiting.LEFT, started_at=now(), ended_at=now())
    assert [led(who) for who in (cast.dr_cho, cast.nan, cast.desk)] == [True, False, False]


def test_the_live_part_of_a_row_opens_nobodys_record(stage: Stage, cho: Browser, acts: Acts) -> None:
    visit = stage.ready()
    before = acts(openings=True).count(Act.RECORD_OPENED)

    reply = cho.get(f"/visits/{visit.pk}/waiting/").content.decode()

    assert "ready, waiting" in reply and "Quill" not in reply
    assert acts(openings=True).count(Act.RECORD_OPENED) == before


def test_the_visit_page_is_its_providers_alone(cast: Cast, stage: Stage, client_for: ClientFor) -> None:
    address = f"/visits/{stage.ready().pk}/"

    page = client_for(cast.dr_cho).get(address).content.decode()
    for slot in ("banner", "lobby", "note", "finish"):
        assert f'data-slot="{slot}"' in page
    for other in (cast.dr_dee, cast.nan, cast.desk, cast.pia, cast.admin):
        assert client_for(other).get(address).status_code == 404


def test_what_is_written_is_kept_and_a_second_window_is_told(stage: Stage, cho: Browser) -> None:
    visit = stage.in_call()
    address = f"/visits/{visit.pk}/note/"

    first = cho.form(address, **TEXT, note="", version="")
    note = Note.objects.get()
    assert first.status_code == 200 and f'value="{note.pk}"' in first.content.decode()
    assert cho.form(address, **{**TEXT, "plan": "rest, fluids"}, note=str(note.pk), version="1").status_code == 200
    late = cho.post(address, {**TEXT, "note": str(note.pk), "version": "1"}, format="multipart", headers={"HX-Request": "true"})

    assert late.status_code in (409, 412) and "another window" in late.content.decode()
    assert late["HX-Retarget"] == "#alerts"
    assert Note.objects.get().body["plan"] == "rest, fluids"


def test_signing_keeps_the_last_words_and_completing_needs_the_signature(stage: Stage, cho: Browser) -> None:
    visit = stage.in_call()
    early = cho.form(f"/visits/{visit.pk}/complete/")
    assert early.status_code == 409 and "Sign the note first" in early.content.decode()

    signed = cho.form(f"/visits/{visit.pk}/note/sign/", **TEXT, note="", version="").content.decode()
    assert TEXT["plan"] in signed and "<textarea" not in signed
    done = cho.form(f"/visits/{visit.pk}/complete/").content.decode()

    assert "The visit is completed." in done
    assert stage.visit.status == Encounter.FINISHED


def test_the_phone_is_there_in_a_demonstration_only(cast: Cast, stage: Stage, client_for: ClientFor) -> None:
    assert client_for(cast.pia).get("/dev/patient/").status_code == 404

    with override_settings(DEMO=True):
        page = client_for(cast.pia).get("/dev/patient/")
        assert page.status_code == 200 and "Check in" in page.content.decode()
        assert client_for(cast.dr_cho).get("/dev/patient/").status_code == 404
        assert client_for(cast.ned).get(f"/dev/patient/appointments/{stage.appointment.pk}/").status_code == 404
