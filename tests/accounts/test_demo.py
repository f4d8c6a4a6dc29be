"""What the demonstration's clinic gets from this app: people who can sign in, and an app."""

from uuid import UUID

import pytest

from telehealth.accounts import demo, totp
from telehealth.accounts.models import Application, User
from telehealth.core import now
from telehealth.core.demo import DemoClinic
from tests.people import Browser

pytestmark = pytest.mark.usefixtures("audit_unit")


def test_each_printed_sign_in_opens_the_door() -> None:
    clinic = DemoClinic()
    demo.make(clinic)

    assert set(clinic.accounts) == {"admin", "privacy", "desk", "nurse", "cho", "dee", "eli", "fay"}
    assert Application.objects.get().redirect_uris == "org.example.telehealth:/callback"
    for sign_in in clinic.sign_ins:
        browser = Browser()
        browser.form("/sign-in/", email=sign_in["email"], password=sign_in["password"])
        code = totp.code_at(sign_in["totp_secret"], totp.step_of(now()))
        assert browser.form("/sign-in/factor/", code=code).status_code == 302
        me = browser.get("/api/v1/me/").json()
        assert (me["role"], UUID(me["id"])) == (sign_in["role"], clinic.accounts[sign_in["email"].partition("@")[0]])
    assert len({sign_in["password"] for sign_in in clinic.sign_ins}) == User.objects.count() == 8
