"""What ends an account's rights closes its sockets within five seconds, told or not; what ends nothing closes none."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.ledger import SYSTEM, Actor, uuid7
from consults import services
from consults.models import Note
from consults.protocol.codes import Close
from telehealth.accounts import live
from telehealth.accounts import services as accounts
from telehealth.accounts.access import Role
from telehealth.accounts.authentication import actor_of
from telehealth.accounts.models import AccessToken, Application, RefreshToken, RoleGrant, Session, User
from telehealth.core import now
from telehealth.records import services as records
from telehealth.records.ages import day_of
from telehealth.records.labels import Category, tokens
from telehealth.records.models import CareRelationship, Consent, ProxyGrant
from telehealth.records.services.proxies import follow_ages_of
from tests.consults.devices import Device, Devices, do
from tests.consults.stage import TEXT, Stage
from tests.people import Browser, ClientFor

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 5.0


async def seconds_to_close(device: Device, code: Close) -> float:
    began = time.monotonic()
    assert await device.closed() == code
    return time.monotonic() - began


def account_of(devices: Devices, who: str) -> UUID:
    return devices.stage.cast.__dict__[who].account  # type: ignore[no-any-return]


def move(account: UUID) -> None:
    """To another role: asked for by the operator, approved by an administrator."""
    asked = RoleGrant.objects.create(account_id=account, role=Role.BILLER, code="moved")
    admin = Actor(id=uuid7(), role=Role.ADMINISTRATOR, second_factor_at=now())
    accounts.approve_role(grant_id=asked.pk, by=admin)


Change = Callable[[UUID], Any]
CHANGES: dict[str, Change] = {
    "switched off": lambda account: accounts.switch_off(account_id=account, by=SYSTEM),
    "another role": move,
    "reset": lambda account: accounts.recover(
        account_id=account, email="anew@example.org", role=Role.PROVIDER, password="another kettle of fish", by=SYSTEM
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_both_kinds_of_socket_close_at_once(call: Devices, change: str) -> None:
    cho, _ = await call.joined("dr_cho")
    queue = await call.browser("dr_cho", path="/ws/waiting-room/")
    assert await queue.silent()
    await do(CHANGES[change], account_of(call, "dr_cho"))
    assert await seconds_to_close(cho, Close.NOT_JOINED) < 2, "told, it does not wait for its tick"
    assert await seconds_to_close(queue, Close.NOT_JOINED) < 2


async def test_untold_it_is_found_out_within_five_seconds(call: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_tell", lambda account: None)  # the broker loses what it was told
    pia, _ = await call.joined("pia")
    began = time.monotonic()
    await do(accounts.close_everything, account_id=account_of(call, "pia"), reason="left", by=SYSTEM)
    assert await pia.closed() == Close.NOT_JOINED
    assert time.monotonic() - began < WITHIN


async def test_signing_out_there_closes_that_socket_alone(call: Devices) -> None:
    pia, _ = await call.joined("pia")
    cho, _ = await call.joined("dr_cho")
    mine = Session.objects.filter(account=account_of(call, "pia"))
    theirs = await do(mine.get)
    await do(accounts.end_session, session_id=theirs.pk, by=call.stage.cast.pia)
    assert await seconds_to_close(pia, Close.NOT_JOINED) < 2
    assert await cho.silent()


async def test_ending_another_session_leaves_this_socket_alone(call: Devices, client_for: ClientFor) -> None:
    pia, _ = await call.joined("pia")
    other = await do(client_for, call.stage.cast.pia)
    await do(accounts.end_session, session_id=UUID(other.session["session_id"]), by=call.stage.cast.pia)
    assert await pia.silent()


def app_session(account: UUID, *, refresh: bool = True) -> AccessToken:
    """What an app of this account holds after consent."""
    app = accounts.register_app(app=Application(client_id=f"app-{now().timestamp()}", client_type="public"), by=SYSTEM)
    session = accounts.open_session(account_id=account, application=app, by=SYSTEM)
    common = {"user": User.objects.get(pk=account), "application": app, "session": session, "factor_at": now()}
    given = AccessToken(scope="patient", token="", token_checksum=f"{session.pk.hex:0>64}", expires=now() + timedelta(minutes=10), **common)
    given.save()
    if refresh:
        RefreshToken(token="", token_checksum=f"{session.pk.hex:1>64}", access_token=given, token_family=session.pk, **common).save()
    return given


@pytest.fixture
async def app(call: Devices) -> AsyncIterator[tuple[Device, AccessToken]]:
    """Pia's app in the visit, by a ticket."""
    token = await do(app_session, account_of(call, "pia"))
    by = await do(lambda: actor_of(AccessToken.objects.select_related("user", "application", "session").get(pk=token.pk)))
    ticket = await do(services.issue_ticket, visit_id=call.visit, by=by)
    device = await call.device()
    await device.say(type="join", ticket=ticket.value)
    await device.hear("joined")
    yield device, token


async def test_an_access_token_that_expires_closes_nothing(app: tuple[Device, AccessToken], call: Devices) -> None:
    device, token = app
    await do(AccessToken.objects.filter(pk=token.pk).update, expires=now() - timedelta(hours=1))
    await do(live._tell, token.user_id)
    assert await device.silent()


async def test_a_rotated_token_closes_nothing(app: tuple[Device, AccessToken], call: Devices) -> None:
    device, token = app
    await do(AccessToken.objects.filter(pk=token.pk).delete)
    await do(live._tell, token.user_id)
    assert await device.silent()


@pytest.mark.parametrize("how", ["signed out there", "every token revoked"])
async def test_an_app_without_tokens_is_out(app: tuple[Device, AccessToken], call: Devices, how: str) -> None:
    device, token = app
    browser = await call.browser("pia", path="/ws/waiting-room/")  # of another session: what ends is the app's alone
    assert await browser.closed() == Close.NOT_PERMITTED
    if how == "signed out there":
        await do(accounts.end_session, session_id=token.session_id, by=call.stage.cast.pia)
    else:
        await do(RefreshToken.revoke_family, token.session_id)
    assert await seconds_to_close(device, Close.NOT_JOINED) < WITHIN


async def test_what_a_patient_takes_back_closes_the_proxys_socket(call: Devices, stage: Stage) -> None:
    gus = await call.browser("gus")
    await gus.say(type="join")
    await gus.hear("waiting")
    grant = await do(ProxyGrant.objects.get)
    began = time.monotonic()
    await do(records.revoke_proxy, grant_id=grant.pk, by=stage.cast.desk)
    assert await gus.closed() == Close.NOT_PERMITTED
    assert time.monotonic() - began < WITHIN


async def test_coming_of_age_closes_the_guardians_socket(call: Devices, stage: Stage) -> None:
    """Neither the sweep nor anybody's hand ends the grant: what the birth date says does."""
    await do(born, stage, 17)
    await do(ProxyGrant.objects.update, of_minor=True)
    await do(accounts.mark_guardian, account_id=account_of(call, "gus"))
    gus = await call.browser("gus")
    await gus.say(type="join")
    await gus.hear("waiting")
    began = time.monotonic()
    await do(born, stage, 18)
    assert await gus.closed() == Close.NOT_PERMITTED
    assert time.monotonic() - began < WITHIN
    assert (await do(ProxyGrant.objects.get)).ends_at is None


async def test_a_socket_keeps_the_mark_it_was_opened_with_and_the_next_one_has_the_accounts(call: Devices, stage: Stage) -> None:
    """An adult turns out to be a minor: whoever acts for them is sent away once and comes back."""
    gus = await call.browser("gus")
    await gus.say(type="join")
    await gus.hear("waiting")
    await do(ProxyGrant.objects.update, starts_at=now() - timedelta(minutes=1))
    await do(born, stage, 17)
    await do(follow_ages_of, patient_id=stage.cast.pia_record.pk, by=SYSTEM)
    assert await gus.closed() == Close.NOT_PERMITTED
    again = await call.browser("gus")
    await again.say(type="join")
    await again.hear("waiting")


def born(stage: Stage, years_ago: int) -> None:
    today = day_of()
    patient = stage.cast.pia_record
    patient.birth_date = today.replace(year=today.year - years_ago, day=min(today.day, 28)).isoformat()
    patient.save()


@pytest.mark.parametrize("how", ["withdrawn", "ended"])
async def test_a_consent_that_is_over_is_told_and_shows_nothing_within_five_seconds(call: Devices, client_for: ClientFor, how: str) -> None:
    """Nobody is in a visit by a consent: the call goes on, and what the consent showed is gone from the page beside it."""
    cast = call.stage.cast
    note = await do(others_note, call.stage)
    told: dict[str, Any] = {"category": "PSYTHPN", "recipient": {"kind": "care_team"}, "text_version": "1"}
    given = await do(records.give_consent, patient_id=cast.pia_record.pk, **told, by=cast.pia)
    page = await do(client_for, cast.dr_cho)
    assert "couch" in await do(shown, page, note.visit_id)
    (cho, _), (pia, _) = await call.joined("dr_cho"), await call.joined("pia")
    queue = await call.browser("dr_cho", path="/ws/waiting-room/")
    nans = await call.browser("nan", path="/ws/waiting-room/")
    assert await queue.silent() and await nans.silent()
    began = time.monotonic()
    if how == "withdrawn":
        await do(records.withdraw_consent, consent_id=given.pk, by=cast.pia)
    else:
        await do(Consent.objects.filter(pk=given.pk).update, starts_at=now() - timedelta(hours=1), ends_at=now())
    assert "couch" not in await do(shown, page, note.visit_id), "the query knows at once"
    await asyncio.gather(*(device.hear("rights") for device in (nans, queue)))
    while (await cho.hear("rights", "peer-joined"))["type"] != "rights":
        pass
    assert time.monotonic() - began < WITHIN
    assert await cho.silent() and await pia.silent(), "nobody was shown out"


def others_note(stage: Stage) -> Note:
    """A colleague's psychotherapy note of this visit."""
    signed = {"status": "signed", "signed_at": now(), "digest": b"d" * 32, "signature": b"s" * 64, "key_id": uuid7()}
    told = {"labels": tokens(stage.cast.pia_record.pk, [Category.PSYCHOTHERAPY]), "body": {**TEXT, "subjective": "couch", "salt": ""}}
    return Note.objects.create(visit=stage.visit, patient=stage.cast.pia_record, author_id=uuid7(), **told, **signed)


def shown(page: Browser, visit: UUID) -> str:
    return str(page.get(f"/visits/{visit}/note/").content.decode())


async def test_care_that_ends_closes_the_providers_socket(call: Devices, stage: Stage) -> None:
    cho, _ = await call.joined("dr_cho")
    began = time.monotonic()
    assert await do(end_all_care, stage) > 0
    assert await cho.closed() == Close.NOT_PERMITTED
    assert time.monotonic() - began < WITHIN


def end_all_care(stage: Stage) -> int:
    causes = set(CareRelationship.objects.filter(patient=stage.cast.pia_record).values_list("source", "source_id"))
    return sum(records.end_care(source=source, source_id=cause, by=SYSTEM) for source, cause in causes)


async def test_a_role_that_ends_in_time_closes_the_socket(call: Devices) -> None:
    cho, _ = await call.joined("dr_cho")
    account = account_of(call, "dr_cho")
    began = time.monotonic()
    await do(User.objects.filter(pk=account).update, role_until=now())
    assert await cho.closed() == Close.NOT_JOINED
    assert time.monotonic() - began < WITHIN
