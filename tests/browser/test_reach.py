"""WCAG 2.2 AA, as far as a machine can tell: names, sizes, keyboard, narrow screens."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Reception

INTERACTIVE = "a[href], button, input:not([type=hidden]), select, textarea, summary"
NAMELESS = """
(selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility()).filter((each) => {
  const labelled = [...(each.labels ?? [])].some((label) => label.textContent.trim());
  return !labelled && !each.textContent.trim() && !each.getAttribute("aria-label") && !each.getAttribute("aria-labelledby");
}).map((each) => each.outerHTML)
"""
TOO_SMALL = """
(selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility()).filter((each) => {
  if (each.matches("p a, .skip")) return false; // links in a sentence, and the one that shows when it has the focus
  const { width, height } = each.getBoundingClientRect();
  return width < 24 || height < 24;
}).filter((each) => !each.closest("label")).map((each) => each.outerHTML)
"""
UNREACHED = """
(selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility() && !each.disabled && !each.dataset.reached)
  .map((each) => each.outerHTML)
"""
MARK = """
() => {
  const each = document.activeElement;
  each.dataset.reached = "yes";
  const { outlineStyle, outlineWidth } = getComputedStyle(each);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}
"""


@pytest.mark.parametrize(
    ("who", "address"), [("", "/sign-in/"), ("cho", "/today/"), ("nurse", "/records/import/"), ("desk", "/desk/"), ("desk", "/nowhere/")]
)
def test_everything_has_a_name_a_size_and_a_place_in_the_tab_order(reception: Reception, who: str, address: str) -> None:
    page = reception.staff(who) if who else reception.stranger()
    page.goto(address)

    assert page.title() and page.locator("h1").count() == 1 and page.locator("main").count() == 1
    assert page.evaluate(NAMELESS, INTERACTIVE) == []
    assert page.evaluate(TOO_SMALL, INTERACTIVE) == []
    _reaches_everything_by_keyboard(page)
    _fits_a_narrow_screen(page)


def _reaches_everything_by_keyboard(page: Page) -> None:
    """With Tab alone, and the focus can be seen at each stop."""
    page.locator("body").evaluate("(body) => { body.tabIndex = -1; body.focus(); }")
    for _ in range(page.locator(INTERACTIVE).count() + 8):  # a date has several stops
        page.keyboard.press("Tab")
        assert page.evaluate(MARK) or page.evaluate("document.activeElement === document.body")
    assert page.evaluate(UNREACHED, INTERACTIVE) == []


def _fits_a_narrow_screen(page: Page) -> None:
    """1.4.10: 320 pixels wide without scrolling sideways."""
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_administration_runs_under_its_own_policy(reception: Reception) -> None:
    page = reception.staff("admin")
    page.goto("/admin/")

    assert page.locator("#site-name").is_visible()
    for link in [each.get_attribute("href") for each in page.locator("#content a.addlink").all()][:3]:
        page.goto(str(link))
        assert page.locator("form").count()
