"""What people do at their browsers, step by step, as they see it: by labels and buttons."""

import re
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from telehealth import rehearsal
from tests.browser.authenticator import Authenticator
from tests.browser.conftest import Reception

SAMPLE = Path(rehearsal.__file__).parent / "visit" / "sample.json"
PASSWORD = "a harbour full of small boats"
DECODED = """
async (least) => {
  const call = document.querySelector("[data-call]").call;
  for (let tries = 0; tries < 200; tries += 1) {
    for (const connection of call.connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === "inbound-rtp" && report.kind === "video" && report.framesDecoded >= least) return report.framesDecoded;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return 0;
}
"""


@dataclass
class Patient:
    """A patient with an account, at their phone."""

    page: Page
    authenticator: Authenticator
    family: str


def import_sample(nurse: Page) -> None:
    """The nurse imports a record from a file."""
    nurse.goto("/records/import/")
    nurse.get_by_label("FHIR R4 transaction bundle").set_input_files(SAMPLE)
    nurse.get_by_role("button", name="Import").click()
    expect(nurse.locator("#report-title")).to_be_visible()


def invite(desk: Page, family: str, email: str) -> None:
    """The front desk finds the patient by name and invites them."""
    desk.goto("/desk/")
    desk.get_by_label("Name").fill(family)
    desk.get_by_role("button", name="Find").click()
    desk.get_by_role("link", name="Open").click()
    desk.get_by_label("E-mail address").fill(email)
    desk.get_by_role("button", name="Send the invitation").click()
    expect(desk.get_by_text("The invitation is on its way by e-mail.")).to_be_visible()


def invitation_link(reception: Reception, email: str) -> str:
    """The link in the mail that the demonstration's catcher holds; asks until it is there."""
    for _ in range(200):
        messages = httpx.get(f"{reception.live.url}/dev/outbox?format=json").json()
        links = [link for message in messages if message["to"] == email for link in message["links"]]
        if links:
            return str(links[-1])
        reception.pause(0.1)
    raise AssertionError("the invitation does not arrive")


def accept(reception: Reception, email: str, family: str) -> Patient:
    """The patient follows the link, chooses a password and sets up an authenticator."""
    page = reception.stranger(phone=True)
    page.goto(invitation_link(reception, email))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    authenticator = Authenticator(page.locator("[data-totp-secret]").inner_text().strip())
    page.get_by_role("textbox", name="Code").fill(authenticator.code())
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-done]")).to_be_visible()
    return Patient(page, authenticator, family)


def book(patient: Page, provider: str, reason: str) -> None:
    """The patient takes the first time that this provider offers."""
    patient.goto("/dev/patient/")
    patient.get_by_label("Reason for the visit").fill(reason)
    patient.get_by_role("button", name=re.compile(provider)).first.click()
    expect(patient.locator("[data-booked]")).to_be_visible()


def check_in(patient: Page) -> None:
    """Where they are, how to call back, and the consent."""
    patient.get_by_role("link", name="Check in").first.click()
    patient.get_by_label("Street and number where you are now").fill("12 Quiet Lane")
    patient.get_by_label("City").fill("Worcester")
    patient.get_by_label("State").fill("MA")
    patient.get_by_label("ZIP code").fill("01604")
    patient.get_by_label("Number to call if we lose you").fill("+1 508 555 0134")
    patient.get_by_label("I am the patient named above").check()
    patient.get_by_label("I agree to be seen by video.").check()
    patient.get_by_role("button", name="I am ready").click()
    expect(patient.get_by_role("button", name="Join the call")).to_be_visible()


def decoded(page: Page, least: int) -> int:
    """How many frames of the other side this browser has decoded, once there are so many; 0 after twenty seconds."""
    frames: int = page.evaluate(DECODED, least)
    return frames


def playing(page: Page) -> bool:
    """Whether the other side's picture has a size and its clock runs."""
    video = page.locator(".tile video")
    first: float = video.evaluate("(video) => video.currentTime")
    page.wait_for_function("(first) => document.querySelector('.tile video').currentTime > first", arg=first)
    return bool(video.evaluate("(video) => video.videoWidth > 0"))
