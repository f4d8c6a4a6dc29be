"""One whole visit by the pages: two people, two Chromiums, and the clinic between them."""

import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser import acts
from tests.browser.conftest import Reception
from tests.browser.test_presence import fall_idle

FAMILY, EMAIL = "Quillfeather", "marlowe@patient.example"
REASON = "A cough for two weeks"


@pytest.fixture
def patient(reception: Reception) -> acts.Patient:
    """Imported by a nurse, invited by the front desk, signed in at their phone with both factors."""
    acts.import_sample(reception.staff("nurse"))
    acts.invite(reception.staff("desk"), FAMILY, EMAIL)
    return acts.accept(reception, EMAIL, FAMILY)


def test_a_visit_from_the_waiting_room_to_the_end(reception: Reception, patient: acts.Patient) -> None:
    provider = reception.staff("cho")
    wires: list[WebSocketRoute] = []
    provider.route_web_socket(re.compile("/ws/visits/"), lambda wire: wires.extend([wire.connect_to_server(), wire]))
    provider.goto("/today/")
    expect(provider.locator("[data-live]")).to_have_text("Live")
    acts.book(patient.page, "Cho", REASON)
    acts.check_in(patient.page)
    patient.page.get_by_role("button", name="Join the call").click()
    expect(patient.page.locator("[data-call-status]")).to_contain_text("waiting room")

    _is_admitted_from_the_live_list(provider)
    _talks(provider, patient.page)
    _mutes(provider, patient.page)
    _survives_a_lost_socket(provider, wires)
    _is_locked_when_idle_and_comes_back(provider, patient.page, reception)
    _writes_and_signs_the_note(provider)
    _prescribes(provider, reception)
    _completes(provider, patient.page)


def _is_admitted_from_the_live_list(provider: Page) -> None:
    """The row came without a reload, with the name and the reason; the visit's own page, open beside it, follows too."""
    row = provider.get_by_role("listitem").filter(has_text=FAMILY).filter(has_text=REASON)
    expect(row).to_contain_text("ready, waiting")
    other_tab = provider.context.new_page()
    other_tab.goto(str(row.get_by_role("link", name="Open visit").get_attribute("href")))
    expect(other_tab.locator("[data-waiting=ready]")).to_be_visible()
    row.get_by_role("button", name="Admit").click()
    expect(row).to_contain_text("admitted")
    expect(other_tab.locator("[data-waiting=admitted]")).to_be_visible()
    other_tab.close()
    row.get_by_role("link", name="Open visit").click()
    expect(provider.get_by_role("heading", name=re.compile(FAMILY))).to_be_visible()
    expect(provider.get_by_text("12 Quiet Lane")).to_be_visible()


def _is_locked_when_idle_and_comes_back(provider: Page, patient: Page, reception: Reception) -> None:
    """Nobody at the provider's desk for twenty minutes: a cover, the call goes on under it, the password lifts it."""
    provider.evaluate("window.sameDocument = true")
    provider.get_by_label("Subjective").press_sequentially("Coughs")
    expect(provider.locator("#note-saved")).to_contain_text(":")
    fall_idle(reception.live, provider, minutes=20)
    lock = provider.get_by_role("dialog", name="The screen is locked")
    expect(lock).to_be_visible()
    expect(lock.get_by_role("button", name="Leave the call")).to_be_visible()
    frames = acts.decoded(patient, 1)
    assert acts.decoded(patient, frames + 20) > frames, "the patient still sees the provider"
    for _ in range(3):
        provider.keyboard.press("Escape")
    expect(lock).to_be_visible()
    lock.get_by_label("Or your password").fill("not the password")
    lock.get_by_role("button", name="Unlock").click()
    expect(lock.get_by_role("alert")).to_contain_text("do not belong together")
    lock.get_by_label("Or your password").fill(reception.live.sign_in("cho")["password"])
    lock.get_by_role("button", name="Unlock").click()
    expect(lock).to_be_hidden()
    expect(provider.get_by_label("Subjective")).to_have_value("Coughs")
    assert provider.evaluate("window.sameDocument") is True
    assert acts.decoded(provider, 1) > 0


def _talks(provider: Page, patient: Page) -> None:
    provider.get_by_role("button", name="Join the call").click()
    for page in (provider, patient):
        expect(page.locator("[data-call-status]")).to_have_text("Connected")
        assert acts.decoded(page, 20) >= 20
        assert acts.playing(page)
    expect(provider.locator("[data-waiting]")).to_contain_text("in the call")


def _mutes(provider: Page, patient: Page) -> None:
    mute = provider.get_by_role("button", name="Mute")
    mute.press("Enter")
    expect(patient.get_by_text("muted", exact=True)).to_be_visible()
    unmute = provider.get_by_role("button", name="Unmute")
    expect(unmute).to_have_attribute("aria-pressed", "true")
    unmute.press("Enter")
    expect(patient.get_by_text("muted", exact=True)).to_be_hidden()


def _survives_a_lost_socket(provider: Page, wires: list[WebSocketRoute]) -> None:
    """Cut in the middle: the same media connection goes on, and the signalling is back and says so."""
    provider.evaluate("window.before = document.querySelector('[data-call]').call.connections[0]")
    seen = acts.decoded(provider, 1)
    for end in wires[-2:]:
        end.close(code=3001)
    expect(provider.locator("[data-call-status]")).to_contain_text("Connection lost")
    expect(provider.locator("[data-call-status]")).to_have_text("Connected")
    assert acts.decoded(provider, seen + 20) >= seen + 20
    assert provider.evaluate("window.before === document.querySelector('[data-call]').call.connections[0]")
    assert len(wires) == 4


def _writes_and_signs_the_note(provider: Page) -> None:
    """What is written is kept without a press of any button, and there after a reload."""
    provider.get_by_label("Subjective").fill("Dry cough, worse at night.")
    expect(provider.locator("#note-saved")).to_contain_text("Draft kept at")
    provider.get_by_label("Plan").fill("Fluids; come back in a week.")
    expect(provider.get_by_role("button", name="Complete the visit")).to_be_disabled()
    provider.get_by_role("button", name="Sign the note").click()
    expect(provider.get_by_text("It can no longer be changed.")).to_be_visible()
    assert provider.get_by_label("Subjective").count() == 0
    expect(provider.locator(".note-text").filter(has_text="worse at night")).to_be_visible()
    expect(provider.locator(".note-text").filter(has_text="come back in a week")).to_be_visible()


def _prescribes(provider: Page, reception: Reception) -> None:
    """A used code is turned away beside the field; a fresh one signs, and the pharmacy has it soon after."""
    provider.get_by_label("Medication").select_option(label="amoxicillin 500 MG Oral Capsule")
    provider.get_by_label("Pharmacy").select_option(label="Harbor Street Pharmacy, Quincy")
    provider.get_by_label("Directions").fill("Take 1 capsule by mouth three times a day")
    provider.get_by_label("Quantity").fill("21")
    provider.get_by_label("Days").fill("7")
    provider.get_by_role("button", name="Prepare").click()
    authenticator = reception.authenticator("cho")
    provider.get_by_label("Code from your authenticator").fill(authenticator.code_at(authenticator.last))
    provider.get_by_role("button", name="Sign and send").click()
    expect(provider.locator("form .fault")).to_be_visible()
    expect(provider.get_by_label("Code from your authenticator")).to_be_focused()
    provider.get_by_label("Code from your authenticator").fill(authenticator.code())
    provider.get_by_role("button", name="Sign and send").click()
    expect(provider.locator("[data-rx-status=delivered]")).to_be_visible(timeout=60_000)


def _completes(provider: Page, patient: Page) -> None:
    provider.get_by_role("button", name="Complete the visit").click()
    expect(provider.get_by_text("The visit is completed.")).to_be_visible()
    for page in (provider, patient):
        expect(page.locator("[data-call-status]")).to_have_text("The visit has ended.")
        assert page.evaluate("document.querySelector('[data-call]').call.connections.length") == 0
