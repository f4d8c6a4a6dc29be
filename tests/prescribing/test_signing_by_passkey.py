"""A prescription is signed with a passkey that was shown for it: not for another one, not to sign in, not by another person."""

import json

import pytest

from prescribing.machine import Status
from telehealth.accounts import services
from tests.accounts.test_factor_pages import options, shown
from tests.people import ClientFor, body
from tests.prescribing.ward import Ward, again
from tests.soft_key import SoftKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(ward: Ward) -> SoftKey:
    by, held = ward.cast.dr_cho, SoftKey()
    options, state = services.start_passkey(by=by)
    services.add_passkey(state=state, answer=held.register(options), name="Blue phone", by=by)
    return held


def test_a_passkey_shown_for_this_prescription_signs_it(ward: Ward, key: SoftKey, client_for: ClientFor) -> None:
    draft, browser = ward.draft(), client_for(ward.cast.dr_cho)
    path = f"/prescriptions/{draft.pk}/sign/"
    browser.form(path, answer=shown(browser, key, "sign", str(draft.pk)))
    assert again(draft).status == Status.QUEUED


@pytest.mark.parametrize("asked", ["for another", "to step up", "to sign in", "as a factor", "unverified", "twice"])
def test_one_shown_for_anything_else_does_not(asked: str, ward: Ward, key: SoftKey, client_for: ClientFor) -> None:
    draft, other, browser = ward.draft(), ward.draft(), client_for(ward.cast.dr_cho)
    path = f"/prescriptions/{draft.pk}/sign/"
    if asked == "twice":
        answer = json.dumps(key.show(body(options(browser, "sign", str(other.pk)))))
        browser.form(f"/prescriptions/{other.pk}/sign/", answer=answer)
        assert again(other).status == Status.QUEUED
    elif asked == "for another":
        answer = shown(browser, key, "sign", str(other.pk))
    elif asked == "unverified":
        key.verified = False
        answer = shown(browser, key, "sign", str(draft.pk))
    else:
        answer = shown(browser, key, {"to step up": "step-up", "to sign in": "sign-in", "as a factor": "factor"}[asked])
    browser.form(path, answer=answer)
    assert again(draft).status == Status.DRAFT
