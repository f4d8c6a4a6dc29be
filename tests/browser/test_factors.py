"""Passkeys in Chromium with its virtual authenticator; codes on paper; one person, all the doors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Reception


@contextmanager
def authenticator(page: Page, *, verified: bool = True) -> Iterator[tuple[Any, str]]:
    """A platform authenticator that holds passkeys; `verified`: whether its user can be recognised."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    about = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": verified}
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**about, "automaticPresenceSimulation": True}})
    yield cdp, made["authenticatorId"]
    cdp.send("WebAuthn.disable")


def register(page: Page, name: str) -> None:
    page.goto("/factors/passkey/")
    page.get_by_label("Name of this device").fill(name)
    page.get_by_role("button", name="Make a passkey").click()


def password(page: Page, person: dict[str, Any]) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(person["email"])
    page.get_by_label("Password").fill(person["password"])
    page.get_by_role("button", name="Sign in").click()


def test_a_passkey_is_made_signs_in_alone_and_steps_up(reception: Reception) -> None:
    person = reception.live.sign_in("dee")
    page = reception.stranger()
    reception.sign_in(page, "dee")
    with authenticator(page) as (cdp, held):
        register(page, "Blue phone")
        expect(page.get_by_role("heading", name="Blue phone")).to_be_visible()
        (credential,) = cdp.send("WebAuthn.getCredentials", {"authenticatorId": held})["credentials"]
        assert credential["isResidentCredential"] and credential["rpId"] == "localhost"

        reception.forget(page)  # alone: no e-mail address, no password
        page.goto("/sign-in/")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        page.goto("/factors/")
        expect(page.get_by_text("last used").first).to_be_visible()

        page.goto("/step-up/?next=/factors/password/")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Change the password")).to_be_visible()

        reception.forget(page)  # beside the password
        password(page, person)
        page.get_by_label("Code").wait_for()
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(lambda url: "sign-in" not in url)

        cdp.send("WebAuthn.setUserVerified", {"authenticatorId": held, "isUserVerified": False})
        reception.forget(page)
        page.goto("/sign-in/")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("alert").get_by_text("No passkey was shown")).to_be_visible()
        page.goto("/today/")
        assert "/sign-in/" in page.url


def test_an_authenticator_that_verifies_nobody_makes_no_passkey(reception: Reception) -> None:
    page = reception.stranger()
    reception.sign_in(page, "eli")
    with authenticator(page, verified=False) as (cdp, held):
        register(page, "Somebody's phone")
        expect(page.get_by_role("alert").get_by_text("No passkey was made")).to_be_visible()
        assert cdp.send("WebAuthn.getCredentials", {"authenticatorId": held})["credentials"] == []
    page.goto("/factors/")
    expect(page.locator("[data-factor]")).to_have_count(1)


def test_codes_on_paper_let_in_and_lead_to_a_new_factor(reception: Reception) -> None:
    person = reception.live.sign_in("fay")
    page = reception.stranger()
    reception.sign_in(page, "fay")
    page.goto("/factors/")
    page.get_by_role("button", name="Make ten new codes").click()
    expect(page.locator("[data-recovery-codes] code")).to_have_count(10)
    codes = page.locator("[data-recovery-codes] code").all_inner_texts()

    reception.forget(page)
    password(page, person)
    page.get_by_role("link", name="a code that I wrote down").click()
    page.get_by_label("Recovery code").fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-left='9']")).to_be_visible()
    with authenticator(page):
        register(page, "New phone")
        expect(page.get_by_role("heading", name="New phone")).to_be_visible()
