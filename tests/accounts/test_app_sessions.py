"""What an app was given is one session of the register, from the consent on and through every rotation."""

from telehealth.accounts.models import RefreshToken, Session
from tests.accounts.apps import App, me
from tests.people import Browser, Person, body


def test_one_consent_is_one_session_through_every_rotation(app: App, browser: Browser, pia: Person) -> None:
    first = app.tokens(browser)
    second = body(app.refresh(first["refresh_token"]))
    third = body(app.refresh(second["refresh_token"]))
    (held,) = Session.objects.filter(account=pia.id, kind="app")
    assert (held.application.client_id, held.ended_at) == (app.client_id, None)  # type: ignore[union-attr]
    assert set(RefreshToken.objects.filter(user=pia.id).values_list("session", flat=True)) == {held.pk}
    (told,) = [each for each in body(browser.get("/api/v1/sessions/"))["results"] if each["kind"] == "app"]
    assert (told["app"], told["id"]) == ("An app", str(held.pk))

    assert me(third["access_token"]) == 200
    assert browser.delete(f"/api/v1/sessions/{held.pk}/").status_code == 204
    assert me(third["access_token"]) == 401
    assert app.refresh(third["refresh_token"]).status_code == 400
    assert browser.get("/api/v1/me/").status_code == 200


def test_two_phones_are_two_sessions_and_end_apart(app: App, browser: Browser, pia: Person) -> None:
    one, two = app.tokens(browser), app.tokens(browser)
    first, second = Session.objects.filter(account=pia.id, kind="app").order_by("pk")
    assert browser.delete(f"/api/v1/sessions/{first.pk}/").status_code == 204
    assert (me(one["access_token"]), me(two["access_token"])) == (401, 200)
    assert app.refresh(two["refresh_token"]).status_code == 200 and second.ended_at is None
