"""Sign-in with two factors: what it takes, what it refuses, what it leaves on record."""

import pytest

from audit.ledger import Act
from telehealth.accounts.access import Role
from tests.people import Acts, Browser, MakeAccount, body

pytestmark = pytest.mark.django_db


def test_password_then_code_opens_the_door(make_account: MakeAccount, acts: Acts) -> None:
    nan = make_account(Role.NURSE)
    browser = Browser()

    first = browser.form("/sign-in/", email=nan.email, password=nan.password)
    assert (first.status_code, first["Location"]) == (302, "/sign-in/factor/")
    assert browser.get("/api/v1/me/").status_code == 403

    second = browser.form("/sign-in/factor/", code=nan.code())
    assert (second.status_code, second["Location"]) == (302, "/")
    me = browser.get("/api/v1/me/")
    assert (me.status_code, body(me)["id"], body(me)["role"]) == (200, str(nan.id), "nurse")
    assert [act for act in acts() if act != Act.REFUSED] == [Act.ACCOUNT_CREATED, Act.SIGNED_IN, Act.FACTOR_PROVED]
