"""Signing in: passwords and one-time codes in the pages' forms, and an app's OAuth 2.0 code with PKCE."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx

from telehealth.rehearsal.visit import totp
from telehealth.rehearsal.visit.pages import Page
from telehealth.rehearsal.visit.web import Answered, App, Browser, Client, Failed

T = TypeVar("T")
NEXT_CODE = "data-next-code-at"
CLIENT_ID, CALLBACK, SCOPE = "telehealth-demo-app", "org.example.telehealth:/callback", "patient"
TRIES = 5


@dataclass
class Person:
    """Somebody who signs in: with a password, and the secret that their authenticator app keeps."""

    email: str
    password: str
    secret: str = ""
    name: str = ""

    def code(self) -> str:
        """What the authenticator app shows now."""
        return totp.code(self.secret)


async def sign_in(browser: Browser, person: Person) -> None:
    """Password, then code, in the portal's forms; a code used before is waited out."""
    page = await browser.open("/sign-in/")
    page = await browser.submit(page, email=person.email, password=person.password)
    await give_code(browser, page, person)


async def give_code(browser: Browser, page: httpx.Response, person: Person) -> httpx.Response:
    """Send the code in the page's form until it is taken; the page after."""
    asked_at = page.url.path
    for _ in range(TRIES):
        page = await browser.submit(page, code=person.code())
        if page.is_redirect or page.url.path != asked_at or Page(page.text).form_with("code") is None:
            return page
        following = Page(page.text).marks.get(NEXT_CODE)
        if not following:
            raise Failed(f"the code was not taken at {page.url.path}")
        await until(following)
    raise Failed("no fresh code was taken")


async def with_code(person: Person, act: Callable[[str], Awaitable[T]]) -> T:
    """An act over REST that takes a code; one used before is waited out."""
    for _ in range(TRIES):
        try:
            return await act(person.code())
        except Answered as error:
            if "next_code_at" not in error.body:
                raise
            await until(error.body["next_code_at"])
    raise Failed("no fresh code was taken")


async def until(moment: str) -> None:
    """Wait for the time that the server named; it may not be more than a minute away."""
    pause = (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds() + 0.2
    if pause > 60:
        raise Failed("the next code is said to be valid in more than a minute")
    await asyncio.sleep(max(0.2, pause))


async def accept_invitation(browser: Browser, link: str, person: Person) -> None:
    """Follow the link, set the password, enrol the authenticator app that the page shows."""
    page = await browser.open(urlsplit(link)._replace(scheme="", netloc="").geturl())
    page = await browser.submit(page, password=person.password, password_again=person.password)
    person.secret = Page(page.text).marks.get("data-totp-secret", "")
    if not person.secret:
        raise Failed(f"the page {page.url.path} ({page.status_code}) shows no secret to enrol")
    await give_code(browser, page, person)


async def authorise_app(browser: Browser, person: Person) -> App:
    """What a mobile app does: open the system browser for a code, exchange it, throw the browser away."""
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(16)
    asked = _question(verifier, state)
    page = await browser.open("/oauth/authorize/", **asked)
    if Page(page.text).form_with("email", "password"):
        page = await browser.submit(page, email=person.email, password=person.password)
        page = await give_code(browser, page, person)
    if not page.is_redirect:
        page = await browser.submit(page, "allow")
    answer = parse_qs(urlsplit(page.headers.get("location", "")).query)
    if answer.get("state") != [state] or not answer.get("code"):
        raise Failed(f"no code came back to the app: {', '.join(answer.get('error', [str(page.status_code)]))}")
    token = await _exchange(browser.url, answer["code"][0], verifier)
    return App(browser.url, token)


def _question(verifier: str, state: str) -> dict[str, str]:
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    return {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": CALLBACK, "scope": SCOPE, "state": state, **pkce}


async def _exchange(url: str, code: str, verifier: str) -> str:
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": CLIENT_ID}
    async with Client(url) as client:
        response = await client.http.post("/oauth/token/", data={**sent, "code_verifier": verifier})
    body: Any = response.json() if response.is_success else {}
    if not body.get("access_token"):
        raise Answered(response)
    return str(body["access_token"])
