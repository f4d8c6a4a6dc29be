"""What changes between two requests of one session counts in the second."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from audit.ledger import SYSTEM, Actor
from telehealth.accounts import services as accounts
from telehealth.accounts import sessions
from telehealth.accounts.access import Role
from telehealth.accounts.models import RoleGrant
from telehealth.core import now
from telehealth.records import services
from telehealth.records.models import Covering
from tests.conformance.cells.asking import send, undone
from tests.conformance.cells.clinic import CONSENTED, Clinic, signed_in
from tests.conformance.cells.oracle import PEOPLE

CHART = "/api/v1/patients/{patient}/resources/"
Change = Callable[[Clinic], object]


def actor(clinic: Clinic, name: str, role: Role) -> Actor:
    return Actor(id=clinic.accounts[name], role=role, second_factor_at=now())


def pia(clinic: Clinic) -> Actor:
    return actor(clinic, "pia", Role.PATIENT)


def admin(clinic: Clinic) -> Actor:
    return actor(clinic, "admin", Role.ADMINISTRATOR)


def desk(clinic: Clinic) -> Actor:
    return actor(clinic, "desk", Role.FRONT_DESK)


def move(clinic: Clinic, name: str) -> None:
    """To another role: asked for by one, approved by another."""
    asked = RoleGrant.objects.create(account_id=clinic.accounts[name], role=Role.BILLER, code="moved")
    accounts.approve_role(grant_id=asked.pk, by=admin(clinic))


# Who, where, what happens meanwhile, and what is said afterwards.
CHANGES: Final[dict[str, tuple[str, str, Change, int]]] = {
    "the grant is revoked": (
        "gus", CHART, lambda c: services.revoke_proxy(grant_id=c.thing("pia", "grant:gus"), by=pia(c)), 404),
    "the care ends": (
        "dr_cho", CHART, lambda c: services.end_assignment(care_id=c.thing("pia", "care"), by=desk(c)), 404),
    "the care of whom one covers ends": (
        "dr_cov", CHART, lambda c: services.end_assignment(care_id=c.thing("pia", "care"), by=desk(c)), 404),
    "the cover ends": (
        "dr_cov", CHART, lambda c: services.end_covering(
            covering_id=Covering.objects.get(covering=c.doctors["dr_cov"]).pk, by=admin(c)), 404),
    "the consent is withdrawn": (
        "dr_cho", CHART + "{sensitive}/", lambda c: services.withdraw_consent(consent_id=c.thing("pia", "consent"), by=pia(c)), 404),
    "the emergency ends": (
        "dr_btg", CHART, lambda c: services.end_emergency(
            emergency_id=c.thing("pia", "emergency"), by=actor(c, "dr_btg", Role.PROVIDER)), 404),
    "the role changes": (
        "dr_cho", CHART, lambda c: move(c, "dr_cho"), 401),
    "the account is switched off": (
        "dr_cho", CHART, lambda c: accounts.switch_off(account_id=c.accounts["dr_cho"], by=admin(c)), 401),
    "everything is closed": (
        "gus", CHART, lambda c: accounts.close_everything(account_id=c.accounts["gus"], reason="left", by=SYSTEM), 401),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_the_second_request_knows(clinic: Clinic, change: str) -> None:
    who, path, happens, status = CHANGES[change]
    browser = signed_in(clinic, next(each for each in PEOPLE if each.name == who))
    filled = path.format(patient=clinic.thing("pia", "patient"), sensitive=clinic.rows["pia", CONSENTED])
    with undone():
        assert send(browser, "get", filled, {}).status == 200
        happens(clinic)
        assert send(browser, "get", filled, {}).status == status
    assert send(clinic.browser(who), "get", filled, {}).status == 200, "the undoing works, so the change was what counted"


@pytest.mark.parametrize("ahead", [timedelta(minutes=-6), timedelta(minutes=1), timedelta(days=1)])
def test_a_factor_that_is_old_or_not_yet_shown_is_not_fresh(clinic: Clinic, ahead: timedelta) -> None:
    browser = clinic.browser("dr_els")
    given = {"patient": clinic.thing("pia", "patient"), "reason": "unresponsive", "text": "Found on the floor."}
    session = browser.session
    session[sessions.FACTOR] = (now() + ahead).isoformat()
    session.save()
    answer = send(browser, "post", "/api/v1/emergency-accesses/", given)
    browser.put_back()
    assert (answer.status, b"fresh_factor_required" in answer.body) == (403, True)
    assert send(browser, "post", "/api/v1/emergency-accesses/", given).status == 201


@pytest.mark.parametrize("name", [sessions.STARTED, sessions.SEEN])
def test_a_session_of_the_future_is_none(clinic: Clinic, name: str) -> None:
    browser = signed_in(clinic, next(each for each in PEOPLE if each.name == "nan"))
    session = browser.session
    session[name] = (now() + timedelta(days=1)).isoformat()
    session.save()
    with undone():
        status = browser.get("/api/v1/me/").status_code
    assert status == 401
