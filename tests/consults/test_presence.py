"""Idleness: what counts as somebody being there, and that in a visit in progress it locks the screen and ends nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.ledger import Act
from consults import services
from consults.models import Note, Visit
from consults.protocol.codes import Close
from telehealth.accounts import services as accounts
from telehealth.accounts import sessions
from telehealth.accounts.access import Role
from telehealth.accounts.models import User
from telehealth.core import now
from tests.accounts.test_factor_pages import shown
from tests.consults.devices import Devices, do
from tests.consults.stage import Stage
from tests.people import Browser, ClientFor, MakeAccount, Person, body
from tests.soft_key import SoftKey

pytestmark = pytest.mark.django_db(transaction=True)
ANSWERED = {"X-Activity": "yes", "HX-Request": "true"}
BY_ITSELF: list[dict[str, str]] = [
    {"HX-Request": "true"},
    {"Sec-Fetch-Dest": "empty"},
    {"Sec-Fetch-Dest": "script"},
    {"Sec-Fetch-Dest": "image"},
]
BY_A_PERSON: list[dict[str, str]] = [{}, {"Sec-Fetch-Dest": "document"}, ANSWERED]


def idle(browser: Browser, minutes: float) -> Browser:
    session = browser.session
    session[sessions.SEEN] = (now() - timedelta(minutes=minutes)).isoformat()
    session[sessions.STARTED] = (now() - timedelta(hours=1)).isoformat()
    session.save()
    return browser


def silence(browser: Browser) -> timedelta:
    seen = sessions.time_in(browser.session, sessions.SEEN)
    assert seen is not None
    return now() - seen


@pytest.mark.parametrize("headers", BY_ITSELF, ids=str)
def test_what_a_page_asks_by_itself_is_no_activity(make_account: MakeAccount, client_for: ClientFor, headers: dict[str, str]) -> None:
    browser = idle(client_for(make_account(Role.PROVIDER)), 14)
    for path in ("/today/", "/api/v1/me/", "/session/", "/static/portal/base.css"):
        assert browser.get(path, headers=headers).status_code == 200
    assert silence(browser) > timedelta(minutes=13)
    assert idle(browser, 15.1).get("/api/v1/me/", headers=headers).status_code == 401


@pytest.mark.parametrize("headers", BY_A_PERSON, ids=str)
def test_what_a_person_does_is(make_account: MakeAccount, client_for: ClientFor, headers: dict[str, str]) -> None:
    browser = idle(client_for(make_account(Role.PROVIDER)), 14)
    assert browser.get("/today/", headers=headers).status_code == 200
    assert silence(browser) < timedelta(seconds=10)


@pytest.mark.parametrize(("role", "minutes"), [(Role.PROVIDER, 15), (Role.ADMINISTRATOR, 15), (Role.PATIENT, 30)])
def test_asking_how_long_one_has_gives_no_more_and_saying_so_does(
    make_account: MakeAccount, client_for: ClientFor, role: Role, minutes: int
) -> None:
    browser = idle(client_for(make_account(role)), minutes - 2)
    told = [body(browser.get("/session/"))["idle_in"] for _ in range(2)]
    assert all(110 <= seconds <= 120 for seconds in told)
    stayed = body(browser.post("/session/"))
    assert minutes * 60 - 10 < stayed["idle_in"] <= minutes * 60 and not stayed["locked"]
    assert 10 * 3600 < stayed["ends_in"] < 11 * 3600 + 1


def test_staying_needs_a_csrf_token_and_a_session(make_account: MakeAccount, client_for: ClientFor) -> None:
    signed_in = idle(client_for(make_account(Role.NURSE)), 14)
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    assert strict.post("/session/").status_code == 403
    assert silence(signed_in) > timedelta(minutes=13)
    assert Browser().post("/session/").status_code == 401 and Browser().get("/session/").status_code == 401


async def test_the_sockets_heartbeat_is_no_activity(room: Devices, client_for: ClientFor) -> None:
    browser = await do(client_for, room.stage.cast.dr_cho)
    await do(idle, browser, 14)
    cookie = browser.cookies["__Host-session"].OutputString(attrs=[]).encode()
    queue = await room.device("/ws/waiting-room/", origin=b"https://testserver", cookie=cookie)
    assert await queue.silent() and await queue.silent()
    assert await do(silence, browser) > timedelta(minutes=13)


# In a visit


@pytest.fixture
async def cho(call: Devices, client_for: ClientFor) -> Browser:
    """Dr Cho, in the call, with a password, idle for an hour in a browser of hers."""
    device, _ = await call.joined("dr_cho")
    pia, _ = await call.joined("pia")
    await device.hear("peer-joined")

    def prepare() -> Browser:
        user = User.objects.get(pk=call.stage.cast.dr_cho.id)
        user.set_password("a kettle of fish and chips")
        user.save(update_fields=["password"])
        browser = client_for(call.stage.cast.dr_cho)
        return idle(browser, 60)

    browser: Browser = await do(prepare)
    browser.devices = (device, pia)  # type: ignore[attr-defined]
    return browser


def note(browser: Browser, visit: UUID, **fields: Any) -> Any:
    parts = {"subjective": "", "objective": "", "assessment": "", "plan": "", **fields}
    return browser.form(f"/visits/{visit}/note/", **parts)


async def test_idleness_locks_and_shows_nothing(call: Devices, cho: Browser) -> None:
    def look() -> None:
        page = cho.get(f"/visits/{call.visit}/")
        assert (page.status_code, page["Location"].partition("?")[0]) == (302, "/session/unlock/")
        api = cho.get("/api/v1/me/")
        assert (api.status_code, body(api)["code"]) == (403, "session_locked")
        fragment = cho.get(f"/visits/{call.visit}/note/", headers={"HX-Request": "true"})
        assert (fragment.status_code, fragment.content, fragment["HX-Trigger"]) == (403, b"", "session-locked")
        assert body(cho.get("/session/"))["locked"] is True
        assert cho.get("/admin/").status_code == 302

    await do(look)
    assert await call.entries(Act.SESSION_LOCKED, "actor_id") == [(call.stage.cast.dr_cho.id,)]
    assert await call.entries(Act.SIGNED_OUT, "id") == []


async def test_behind_the_lock_the_socket_the_draft_and_the_end_live_on(call: Devices, cho: Browser, stage: Stage) -> None:
    device, pia = cho.devices  # type: ignore[attr-defined]

    def write() -> None:
        assert note(cho, call.visit, subjective="typed before the lock").status_code == 200
        assert note_of(call.visit) == "typed before the lock"
        assert cho.get(f"/visits/{call.visit}/note/").status_code == 302

    await do(write)
    assert await device.silent(), "the visit's socket is as it was"
    await device.drop()
    again = await call.device(origin=b"https://testserver", cookie=cho.cookies["__Host-session"].OutputString(attrs=[]).encode())
    await again.say(type="join")
    await again.hear("joined")  # and it comes back after a loss

    draft = await do(Note.objects.get, visit=call.visit)
    await do(services.sign, note_id=draft.pk, version=draft.version, by=stage.cast.dr_cho)
    ended = await do(cho.form, f"/visits/{call.visit}/complete/")
    assert ended.status_code == 200
    assert (await do(Visit.objects.get, pk=call.visit)).ended
    assert await pia.closed() == Close.ENDED
    assert (await do(cho.get, "/api/v1/me/")).status_code == 401, "no visit holds the session any more"


def note_of(visit: UUID) -> str:
    return str(Note.objects.get(visit=visit).body["subjective"])


async def test_the_password_or_a_code_unlocks_and_a_wrong_one_does_not(call: Devices, cho: Browser) -> None:
    def come_back() -> None:
        assert cho.get("/api/v1/me/").status_code == 403
        wrong = cho.post("/session/unlock/", {"password": "not it"}, format="multipart", headers={"X-Overlay": "1"})
        assert (wrong.status_code, bool(body(wrong)["sentence"])) == (400, True)
        assert cho.form("/session/unlock/").status_code == 400
        key = cho.cookies["__Host-session"].value
        right = cho.post("/session/unlock/", {"password": "a kettle of fish and chips"}, format="multipart", headers={"X-Overlay": "1"})
        assert (right.status_code, body(right)) == (200, {"locked": False})
        assert cho.cookies["__Host-session"].value != key
        assert cho.get("/api/v1/me/").status_code == 200
        assert body(cho.get("/session/"))["locked"] is False

    await do(come_back)
    assert len(await call.entries(Act.SESSION_UNLOCKED, "actor_id")) == 1


async def test_guessing_at_the_lock_is_slowed_down(call: Devices, cho: Browser) -> None:
    def guess() -> list[int]:
        cho.get("/api/v1/me/")
        return [cho.form("/session/unlock/", password="not it").status_code for _ in range(8)]

    tried = await do(guess)
    assert (tried[:5], tried[-1]) == ([400] * 5, 429)


async def test_outside_a_visit_idleness_signs_out(call: Devices, client_for: ClientFor) -> None:
    def look() -> int:
        return int(idle(client_for(call.stage.cast.dr_dee), 60).get("/api/v1/me/").status_code)

    assert await do(look) == 401
    assert await call.entries(Act.SIGNED_OUT, "reason") == [("idle",)]


async def test_a_passkey_lifts_the_lock(call: Devices, cho: Browser) -> None:
    def come_back() -> None:
        account = User.objects.get(pk=call.stage.cast.dr_cho.id)
        person = Person(id=account.pk, role=Role.PROVIDER, email=account.email, password="", seed="")
        key, answering = SoftKey(), person.by
        options, state = accounts.start_passkey(by=answering)
        accounts.add_passkey(state=state, answer=key.register(options), name="Blue phone", by=answering)
        assert cho.get("/api/v1/me/").status_code == 403
        assert cho.form("/step-up/", answer=shown(cho, key, "step-up")).status_code == 302
        assert cho.get("/api/v1/me/").status_code == 200

    await do(come_back)
    assert len(await call.entries(Act.SESSION_UNLOCKED, "actor_id")) == 1
