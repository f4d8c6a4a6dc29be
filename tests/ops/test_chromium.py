"""The browser of the browser tests is real and has a camera."""

from playwright.sync_api import Browser

from tests.live import Live


def test_chromium_has_a_camera_on_our_pages(chromium: Browser, live: Live) -> None:
    page = chromium.new_page()
    page.goto(f"{live.url}/healthz")
    tracks = page.evaluate(
        "navigator.mediaDevices.getUserMedia({audio: true, video: true}).then(s => s.getTracks().map(t => t.kind).sort())"
    )
    page.close()
    assert tracks == ["audio", "video"]
