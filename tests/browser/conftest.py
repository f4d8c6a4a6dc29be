"""People at their browsers: each signs in once, and every page that any of them opens is watched."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.authenticator import Authenticator
from tests.live import Live

PATIENCE = 20_000  # milliseconds: machines that test are busy
expect.set_options(timeout=PATIENCE)

WATCH = """
const told = ({ violatedDirective, blockedURI }) => console.error(`CSP violation: ${violatedDirective} ${blockedURI}`);
document.addEventListener("securitypolicyviolation", told);
"""


@dataclass
class Reception:
    """Opens browsers for people of the clinic and keeps what their consoles complained about."""

    live: Live
    chromium: Browser
    complaints: list[str]
    cookies: dict[str, list[dict[str, object]]]
    authenticators: dict[str, Authenticator]
    opened: list[BrowserContext] = field(default_factory=list)

    def stranger(self, *, phone: bool = False) -> Page:
        """A browser that nobody has signed in with."""
        viewport = {"width": 412, "height": 880} if phone else {"width": 1280, "height": 900}
        context = self.chromium.new_context(base_url=self.live.url, viewport=viewport, permissions=["camera", "microphone"])
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WATCH)
        self.opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        return page

    def _heard(self, kind: str, text: str) -> None:
        if "violat" in text.lower() or "Content Security Policy" in text:
            self.complaints.append(text)

    def pause(self, seconds: float) -> None:
        """Between two looks at something that happens elsewhere; the browsers go on meanwhile."""
        self.opened[0].pages[0].wait_for_timeout(seconds * 1000)

    def authenticator(self, key: str) -> Authenticator:
        """The authenticator app of one of the demonstration's people."""
        if key not in self.authenticators:
            self.authenticators[key] = Authenticator(self.live.sign_in(key)["totp_secret"])
        return self.authenticators[key]

    def sign_in(self, page: Page, key: str) -> None:
        """By the pages: e-mail, password, then a code."""
        person = self.live.sign_in(key)
        page.goto("/sign-in/")
        page.get_by_label("E-mail address").fill(person["email"])
        page.get_by_label("Password").fill(person["password"])
        page.get_by_role("button", name="Sign in").click()
        field = page.get_by_label("Code")
        field.wait_for()  # on a busy machine a code that was taken before the page is there may be over when it is
        field.fill(self.authenticator(key).code())
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(lambda url: "sign-in" not in url)

    def forget(self, page: Page) -> None:
        """The browser forgets who signed in. Its page is left first: it asks by itself whether somebody is still signed in,
        hears no, and leads to the sign-in page, which would get in the way of where the test goes next."""
        page.goto("about:blank")
        page.context.clear_cookies()

    def staff(self, key: str) -> Page:
        """A browser in which this person of the clinic is signed in."""
        page = self.stranger()
        if key in self.cookies:
            page.context.add_cookies(self.cookies[key])  # type: ignore[arg-type]
        else:
            self.sign_in(page, key)
            self.cookies[key] = [dict(cookie) for cookie in page.context.cookies()]
        return page


@pytest.fixture(scope="session")
def _kept() -> tuple[dict[str, list[dict[str, object]]], dict[str, Authenticator]]:
    return {}, {}


@pytest.fixture
def reception(
    live: Live, chromium: Browser, _kept: tuple[dict[str, list[dict[str, object]]], dict[str, Authenticator]]
) -> Iterator[Reception]:
    """Whatever a test does in its browsers, no page may break its content security policy or throw."""
    made = Reception(live, chromium, [], *_kept)
    yield made
    for context in made.opened:
        context.close()
    assert made.complaints == []
