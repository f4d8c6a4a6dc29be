"""The doors: what strangers, those half inside and those who step up fill in, each brought as far as the form first."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from audit.ledger import Actor, uuid7
from scheduling.models import Appointment, Reminder
from scheduling.reminding import answer_path
from telehealth.accounts import selectors, services, sessions, totp
from telehealth.accounts.access import Role
from telehealth.accounts.models import Application, EmailChange
from telehealth.core import now
from tests.cast import make_patient
from tests.conformance.cells.clinic import PASSWORD, Clinic, Kept, signed_in
from tests.conformance.cells.forms import code_of
from tests.conformance.cells.oracle import PEOPLE
from tests.soft_key import SoftKey

NEW: Final = "an umbrella in the rain"
BACK: Final = "https://app.example/callback"
VERIFIER: Final = "v" * 50
Filled = tuple[Kept, str, dict[str, Any]]


class Stranger(Kept):
    """A browser that nobody has signed in with."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.raise_request_exception = False


@dataclass(frozen=True)
class Door:
    """`path`: its route; `fill` makes what has to be there first, and says who sends what where."""

    path: str
    fill: Callable[[Clinic], Filled]
    own: str = ""
    name: str = ""

    def asked(self, clinic: Clinic) -> Filled:
        return self.fill(clinic)


def door(path: str, fill: Callable[[Clinic], Filled], own: str = "", case: str = "") -> Door:
    return Door(path, fill, own, f"{path} {case}".strip())


def nan(clinic: Clinic) -> Actor:
    return Actor(id=clinic.accounts["nan"], role=Role.NURSE, second_factor_at=now())


def whole(clinic: Clinic, who: str = "nan") -> Kept:
    return signed_in(clinic, next(each for each in PEOPLE if each.name == who))


def changed(browser: Kept, **values: Any) -> Kept:
    """With this in the session; None: without it."""
    session = browser.session
    for name, value in values.items():
        session.pop(name, None)
        session.update({name: value} if value else {})
    session.save()
    return browser


def half(clinic: Clinic) -> Kept:
    """Who has shown a password."""
    return changed(whole(clinic), **{sessions.FACTOR: None})


def with_code(path: str, browser: Callable[[Clinic], Kept]) -> Callable[[Clinic], Filled]:
    return lambda clinic: (browser(clinic), path, {"code": code_of(clinic, "nan")})


def on_paper(clinic: Clinic) -> Filled:
    return half(clinic), "/sign-in/recovery/", {"code": services.make_recovery_codes(by=nan(clinic))[0]}


def one_more(clinic: Clinic) -> Filled:
    seed = services.start_enrolment(by=nan(clinic)).seed
    return whole(clinic), "/factors/totp/", {"code": totp.code_at(seed, totp.step_of(now())), "name": "Blue"}


def passkey(clinic: Clinic) -> Filled:
    browser = whole(clinic)
    options = json.loads(browser.form("/passkeys/options/", purpose="register").content)
    return browser, "/factors/passkey/", {"name": "Blue", "answer": json.dumps(SoftKey().register(options))}


def address(clinic: Clinic) -> Filled:
    services.ask_email_change(email=f"{uuid7().hex}@people.example", by=nan(clinic))
    path = selectors.email_change_path(EmailChange.objects.latest("id").pk)
    return Stranger(), path, {}


def reminder(clinic: Clinic) -> Filled:
    """The link of one: to an appointment as it stands."""
    later = Appointment.objects.get(pk=clinic.thing("pia", "later"))
    made = Reminder.objects.create(appointment=later, minutes_before=60, for_start=later.starts_at, due_at=now())
    return Stranger(), answer_path(made.pk), {"answer": "yes"}


def invitation(clinic: Clinic, email: str, role: Role = Role.PATIENT) -> str:
    patient = make_patient("Quince", "Ida", mrn=uuid7().hex)
    relation = {"patient_id": patient.pk, "relationship": "self"}
    desk = Actor(id=clinic.accounts["desk"], role=Role.FRONT_DESK, second_factor_at=now())
    return selectors.invitation_path(services.create_invitation(email=email, role=role, by=desk, **relation).pk)


def newcomer(clinic: Clinic) -> Filled:
    path = invitation(clinic, f"{uuid7().hex}@people.example")
    return Stranger(), path, {"password": NEW, "password_again": NEW}


def joins(clinic: Clinic) -> Filled:
    return whole(clinic, "exa"), invitation(clinic, "exa@people.example"), {}


def wish(client: str = "doors") -> dict[str, str]:
    Application.objects.get_or_create(
        client_id=client, client_type="public", authorization_grant_type="authorization-code", redirect_uris=BACK
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    told = {"client_id": client, "response_type": "code", "redirect_uri": BACK, "scope": "schedule offline_access", "state": "s"}
    return {**told, "code_challenge": challenge, "code_challenge_method": "S256"}


def consent(clinic: Clinic) -> Filled:
    return whole(clinic, "pia"), "/oauth/authorize/", {**wish(), "allow": "true"}


def code(clinic: Clinic) -> Filled:
    browser, path, body = consent(clinic)
    found = parse_qs(urlsplit(browser.form(path, **body)["Location"]).query)["code"][0]
    traded = {"grant_type": "authorization_code", "client_id": "doors", "code": found, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return Stranger(), "/oauth/token/", traded


def tokens(clinic: Clinic) -> dict[str, Any]:
    browser, path, body = code(clinic)
    found: dict[str, Any] = json.loads(browser.form(path, **body).content)
    return found


def refresh(clinic: Clinic) -> Filled:
    given = {"grant_type": "refresh_token", "client_id": "doors", "refresh_token": tokens(clinic)["refresh_token"]}
    return Stranger(), "/oauth/token/", given


def introspection(clinic: Clinic) -> Filled:
    if not Application.objects.filter(client_id="server").exists():
        kind = {"client_type": "confidential", "authorization_grant_type": "authorization-code"}
        Application.objects.create(client_id="server", client_secret="a secret", **kind)
    given = {"client_id": "server", "client_secret": "a secret", "token": tokens(clinic)["access_token"]}
    return Stranger(), "/oauth/introspect/", given


EMAIL: Final = {"email": "nan@people.example", "password": PASSWORD}
CHANGED: Final = {"current": PASSWORD, "password": NEW, "password_again": NEW}
ANSWER: Final = "answer next"
DOORS: Final = [
    door("sign-in/", lambda clinic: (Stranger(), "/sign-in/", dict(EMAIL)), ANSWER),
    door("sign-in/factor/", with_code("/sign-in/factor/", half), ANSWER),
    door("sign-in/recovery/", on_paper, "next"),
    door("step-up/", with_code("/step-up/", whole), ANSWER),
    door("passkeys/options/", lambda clinic: (whole(clinic), "/passkeys/options/", {"purpose": "step-up"}), "about"),
    door("factors/totp/", one_more),
    door("factors/passkey/", passkey),
    door("factors/password/", lambda clinic: (whole(clinic), "/factors/password/", dict(CHANGED))),
    door("factors/address/", lambda clinic: (whole(clinic), "/factors/address/", {"email": f"{uuid7().hex}@people.example"})),
    door("factors/address/<str:token>/", address),
    door("session/", lambda clinic: (whole(clinic), "/session/", {})),
    door("session/unlock/", with_code("/session/unlock/", lambda clinic: changed(whole(clinic), **{sessions.LOCKED: now().isoformat()})),
         "password next"),
    door("sign-out/", lambda clinic: (whole(clinic), "/sign-out/", {})),
    door("invitation/<str:token>/", newcomer),
    door("invitation/<str:token>/", joins, "password", "by whom is here already"),
    door("appointments/answer/<str:token>/", reminder),
    door("oauth/authorize/", consent, "claims nonce resource"),
    door("oauth/token/", code, "scope client_secret resource", "code"),
    door("oauth/token/", refresh, "scope client_secret resource", "refresh"),
    door("oauth/revoke/", lambda clinic: (Stranger(), "/oauth/revoke/", {"token": tokens(clinic)["access_token"], "client_id": "doors"}),
         "token_type_hint client_secret"),
    door("oauth/introspect/", introspection),
]  # fmt: skip
