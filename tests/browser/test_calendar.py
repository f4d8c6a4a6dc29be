"""The calendar in Chromium: moved by pointer, by keyboard and by form, booked for a caller, and printed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Reception
from tests.browser.test_reach import INTERACTIVE, NAMELESS, TOO_SMALL

SEED = """
from datetime import timedelta
from zoneinfo import ZoneInfo
from audit.ledger import SYSTEM
from scheduling import services
from scheduling.models import Appointment
from telehealth.core import now
from telehealth.records.digests import name_tokens
from telehealth.records.models import Patient, Practitioner
dee = Practitioner.objects.get(family="Dee")
for made in Appointment.objects.filter(practitioner=dee, status="booked"):
    services.cancel(appointment_id=made.pk, reason="oth-err", by=SYSTEM)
day = (now().astimezone(ZoneInfo(dee.timezone)) + timedelta(days=21)).replace(hour=0, minute=0, second=0, microsecond=0)
day -= timedelta(days=day.weekday() - 2)
for family, hour in (("Amberley", 9), ("Birchwood", 10)):
    person = Patient.objects.filter(name_tokens__overlap=name_tokens(family, "")[:1]).first() or Patient.objects.create(
        family=family, given="Robin", name_tokens=name_tokens(family, "Robin"), birth_date="1980-01-02", gender="female",
        mrn=f"M-{family}", address={"state": "MA"}, language="en")
    at = day.replace(tzinfo=None).replace(hour=hour).replace(tzinfo=day.tzinfo)
    services.book(patient_id=person.pk, practitioner_id=dee.pk, visit_type="audio-30", starts_at=at, by=SYSTEM)
print("SEEDED", day.date().isoformat(), dee.pk)
"""


@pytest.fixture
def desk(reception: Reception) -> Iterator[Page]:
    """The front desk looks at Dr Dee's Wednesday in three weeks: Amberley comes at 9, Birchwood at 10."""
    told = reception.live.manage("shell", "--reason", "test", "-c", SEED)
    assert "SEEDED" in told.stdout, told.stderr
    day, provider = told.stdout.split("SEEDED")[1].split()[:2]
    page = reception.staff("desk")
    page.goto(f"/calendar/?provider={provider}&day={day}&view=week")
    expect(visit(page, "Amberley")).to_be_visible()
    yield page


def visit(page: Page, family: str) -> Locator:
    return page.locator("[data-visit-block]").filter(has_text=family)


def stands(page: Page, family: str, at: str, day: str = "Wed") -> None:
    """Where its block is, and as the server tells it after a reload."""
    for _ in range(2):
        column = page.locator("[data-day]").filter(has=page.get_by_role("heading", name=re.compile(day)))
        expect(column.locator("[data-visit-block]").filter(has_text=family)).to_contain_text(at)
        page.reload()


def drag(page: Page, block: Locator, minutes: int, days: int = 0) -> None:
    block.scroll_into_view_if_needed()
    box = block.bounding_box()
    assert box is not None
    x, y = box["x"] + 20, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    height = box["height"] / 30  # of a minute
    for part in (0.3, 0.7, 1.0):
        page.mouse.move(x + days * column_width(page) * part, y + minutes * height * part)
    page.mouse.up()


def column_width(page: Page) -> float:
    box = page.locator("[data-day]").first.bounding_box()
    assert box is not None
    return box["width"]


def test_a_visit_is_dragged_and_what_does_not_fit_goes_back(desk: Page) -> None:
    _goes_back_and_says_why(desk)
    _stays_when_the_drag_is_given_up(desk)
    drag(desk, visit(desk, "Amberley"), minutes=120, days=1)
    expect(desk.locator("#announcer")).to_contain_text("Moved to")
    expect(desk.locator("#announcer")).to_contain_text("11:00")
    stands(desk, "Amberley", "11:00", "Thu")


def _goes_back_and_says_why(desk: Page) -> None:
    before = visit(desk, "Amberley").bounding_box()
    drag(desk, visit(desk, "Amberley"), minutes=60)
    expect(desk.get_by_role("alert")).to_contain_text("The provider has another appointment at that time. Nothing was moved.")
    expect(visit(desk, "Amberley")).to_be_focused()
    after = visit(desk, "Amberley").bounding_box()
    assert before is not None and after is not None
    assert (round(before["width"]), round(before["height"])) == (round(after["width"]), round(after["height"]))
    stands(desk, "Amberley", "09:00")


def _stays_when_the_drag_is_given_up(desk: Page) -> None:
    block = visit(desk, "Amberley")
    block.scroll_into_view_if_needed()
    box = block.bounding_box()
    assert box is not None
    desk.mouse.move(box["x"] + 20, box["y"] + 8)
    desk.mouse.down()
    desk.mouse.move(box["x"] + 20, box["y"] + 200)
    expect(desk.locator(".visit.moving")).to_have_count(1)
    desk.keyboard.press("Escape")
    expect(desk.locator(".visit.moving")).to_have_count(0)
    desk.mouse.up()
    stands(desk, "Amberley", "09:00")


def test_a_visit_is_moved_by_keyboard_alone_and_by_a_form(desk: Page) -> None:
    _is_moved_by_keys(desk)
    _is_moved_by_a_form(desk)


def _is_moved_by_keys(desk: Page) -> None:
    block, told = visit(desk, "Amberley"), desk.locator("#announcer")
    block.focus()
    desk.keyboard.press("ArrowDown")
    expect(told).to_contain_text("Arrow keys choose the time")
    for _ in range(7):
        desk.keyboard.press("ArrowDown")
    expect(told).to_contain_text("11:00")
    desk.keyboard.press("ArrowRight")
    expect(told).to_have_text(re.compile(r"Thursday, .*11:00"))
    expect(block).to_be_focused()
    desk.keyboard.press("Escape")
    expect(told).to_have_text("Left where it was.")
    expect(block).to_be_focused()

    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("Enter")
    expect(told).to_contain_text("Moved to")
    expect(visit(desk, "Amberley")).to_be_focused()
    stands(desk, "Amberley", "08:30")


def _is_moved_by_a_form(desk: Page) -> None:
    """For whoever neither drags nor finds the keys (WCAG 2.2, 2.5.7)."""
    visit(desk, "Birchwood").press("Enter")
    panel = desk.get_by_role("complementary", name="Details")
    expect(panel.get_by_role("heading", name="Birchwood, Robin")).to_be_focused()
    field = panel.get_by_label("Date and time")
    field.fill(field.input_value()[:11] + "16:30")
    panel.get_by_role("button", name="Move", exact=True).click()
    expect(desk.locator("#announcer")).to_contain_text("16:30")
    expect(panel.get_by_role("heading")).to_have_count(0)
    stands(desk, "Birchwood", "16:30")


def test_the_desk_books_and_holds_for_a_caller(desk: Page) -> None:
    wednesday = desk.locator("[data-day]").filter(has=desk.get_by_role("heading", name=re.compile("Wed"))).locator("[data-column]")
    first = int(desk.locator("[data-grid]").get_attribute("data-first") or 0)
    row = (wednesday.bounding_box() or {"height": 0})["height"] / int(desk.locator("[data-grid]").get_attribute("data-rows") or 1)
    wednesday.click(position={"x": 30, "y": (14 * 60 - first) / 5 * row + 3})
    panel = desk.get_by_role("complementary", name="Details")
    expect(panel.get_by_label("Date and time")).to_have_value(re.compile("T14:00$"))
    panel.get_by_label("Name").fill("Birchwood")
    panel.get_by_role("button", name="Find").click()
    panel.get_by_role("button", name="Choose").first.click()
    panel.get_by_label("Kind of visit").select_option("audio-30")
    panel.get_by_label("Reason for the visit").fill("A cough")
    panel.get_by_role("button", name=re.compile("Hold for")).click()
    expect(panel.get_by_text("Held until")).to_be_visible()
    expect(wednesday.locator(".visit.held")).to_contain_text("Birchwood")
    panel.get_by_role("button", name="Confirm the booking").click()
    expect(panel.get_by_role("status")).to_have_text("Booked.")
    expect(wednesday.locator(".visit.held")).to_have_count(0)
    expect(wednesday.locator(".visit.booked").filter(has_text="14:00")).to_contain_text("Birchwood")
    panel.get_by_role("button", name="Close").click()
    expect(panel.get_by_role("heading")).to_have_count(0)


def test_it_fits_every_screen_and_is_printed_as_a_list(desk: Page) -> None:
    for width in (1280, 390, 320):
        _has_names_and_sizes_and_fits(desk, width)
    desk.emulate_media(media="print")
    for hidden in (".grid", ".tools", ".bar", ".legend"):
        expect(desk.locator(hidden).first).to_be_hidden()
    desk.goto(re.sub("view=[a-z]+", "view=week", desk.url))
    rows = desk.locator(".agenda tbody tr")
    expect(rows.filter(has_text="Amberley")).to_contain_text("09:00–09:30")
    expect(desk.locator(".zone")).to_contain_text("America/New_York")
    assert len(desk.pdf()) > 5000


def _has_names_and_sizes_and_fits(desk: Page, width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 800})
    for view in ("week", "day"):
        desk.goto(re.sub("view=[a-z]+", f"view={view}", desk.url))
        assert desk.locator("h1").count() == 1
        assert desk.evaluate(NAMELESS, INTERACTIVE) == []
        assert desk.evaluate(TOO_SMALL, INTERACTIVE) == []
        assert desk.evaluate("document.documentElement.scrollWidth") <= width
