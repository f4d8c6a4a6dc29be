"""The warning before idle sign-out, in a real browser: on time, reachable by keyboard, and told by the server's clock."""

from datetime import datetime, timedelta

from django.core.cache.backends.redis import RedisCache
from playwright.sync_api import Page, expect

from tests.browser.conftest import Reception
from tests.live import Live

SESSION_COOKIE = "sessionid"  # a demonstration's


def fall_idle(live: Live, page: Page, *, minutes: float) -> None:
    """As if nobody had been there for so long; the page is looked at again."""
    told = dict(line.split("=", 1) for line in live.home.env_file.read_text().splitlines() if "=" in line)
    cache = RedisCache(told["REDIS_URL"], {"KEY_PREFIX": "cache"})
    key = next(cookie["value"] for cookie in page.context.cookies() if cookie.get("name") == SESSION_COOKIE)
    name = f"django.contrib.sessions.cache{key}"
    kept = cache.get(name)
    seen = datetime.fromisoformat(kept["seen_at"])
    cache.set(name, {**kept, "seen_at": (seen - timedelta(minutes=minutes)).isoformat()}, 3600)
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_two_minutes_before_the_end_it_asks_and_the_end_leaves_nothing_on_the_screen(reception: Reception) -> None:
    page = reception.stranger()
    reception.sign_in(page, "privacy")
    for address in ("/admin/", "/sessions/"):
        page.goto(address)
        warning = page.get_by_role("alertdialog", name="Are you still there?")
        fall_idle(reception.live, page, minutes=12)
        page.wait_for_timeout(300)
        expect(warning).to_be_hidden()
        fall_idle(reception.live, page, minutes=1.5)
        expect(warning).to_be_visible()
        expect(warning).to_contain_text("Time left: 1:")
        stay = warning.get_by_role("button", name="Stay signed in")
        expect(stay).to_be_focused()
        page.keyboard.press("Enter")
        expect(warning).to_be_hidden()
        left = page.evaluate("fetch('/session/').then((reply) => reply.json()).then((told) => told.idle_in)")
        assert left > 890

    fall_idle(reception.live, page, minutes=14)
    expect(warning).to_be_visible()
    fall_idle(reception.live, page, minutes=2)
    page.wait_for_url("**/sign-in/?next=%2Fsessions%2F")
