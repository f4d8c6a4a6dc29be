"""Two factors by the pages, in a real browser."""

from tests.browser.conftest import Reception


def test_a_wrong_password_is_told_in_words_and_lets_nobody_in(reception: Reception) -> None:
    page = reception.stranger()
    page.goto("/")
    page.get_by_label("E-mail address").fill("desk@clinic.example")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()

    assert "do not belong together" in page.get_by_role("alert").last.inner_text()
    page.goto("/desk/")
    assert "/sign-in/" in page.url


def test_a_password_alone_opens_nothing_and_a_code_is_good_once(reception: Reception) -> None:
    person = reception.live.sign_in("desk")
    page = reception.stranger()
    reception.sign_in(page, "desk")
    page.context.clear_cookies()
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(person["email"])
    page.get_by_label("Password").fill(person["password"])
    page.keyboard.press("Enter")
    page.get_by_label("Code").wait_for()
    page.goto("/desk/")
    assert "/sign-in/factor/" in page.url

    used = reception.authenticator("desk")
    page.get_by_label("Code").fill(used.code_at(used.last))
    page.get_by_role("button", name="Continue").click()

    assert page.locator("[data-next-code-at]").get_attribute("data-next-code-at")
    assert "/sign-in/factor/" in page.url
