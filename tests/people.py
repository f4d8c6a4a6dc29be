"""Accounts for tests: made by the services, with a confirmed authenticator; and clients signed in as them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.test import override_settings
from rest_framework.test import APIClient

from audit.ledger import SYSTEM, Act, Actor, flush, unit, uuid7
from audit.ledger.models import Entry
from telehealth.accounts import live, services, sessions, totp
from telehealth.accounts.access import Role
from telehealth.accounts.models import Session, TOTPDevice, User
from telehealth.accounts.passwords import Argon2id
from telehealth.core import now

PASSWORD = "a kettle of fish and chips"
PATIENT_SIDE = (Role.PATIENT, Role.PROXY)


class CheapArgon2id(Argon2id):
    """The same algorithm, too weak for anything but tests."""

    time_cost, memory_cost = 1, 8


@dataclass(frozen=True)
class Person:
    """An account and everything its person knows."""

    id: UUID
    role: Role
    email: str
    password: str
    seed: str

    @property
    def by(self) -> Actor:
        """This person with both factors shown, just now."""
        return Actor(id=self.id, role=self.role, second_factor_at=now())

    def code(self, ahead: int = 0) -> str:
        """What the authenticator shows, `ahead` steps from now."""
        return totp.code_at(self.seed, totp.step_of(now()) + ahead)


MakeAccount = Callable[..., Person]


class Browser(APIClient):
    """A test client that speaks https, as production asks, and JSON unless told otherwise."""

    default_format = "json"

    def generic(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        return super().generic(method, path, *args, **{"secure": True, **kwargs})

    def form(self, path: str, **fields: Any) -> Any:
        """Send a form as a browser does."""
        return self.post(path, fields, format="multipart")


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashing as costly as in production would take most of the suite's time."""
    with override_settings(PASSWORD_HASHERS=["tests.people.CheapArgon2id"]):
        yield


@pytest.fixture
def make_account(db: None) -> MakeAccount:
    """make_account(role, *, email="", name="", factor=True) -> Person."""
    cache.clear()

    def make(role: Role | str, *, email: str = "", name: str = "", factor: bool = True, id: UUID | None = None) -> Person:
        role = Role(role)
        email = email or f"{uuid7().hex}@people.example"
        with unit(SYSTEM, channel="command"):
            user = services.create_account(
                email=email,
                role=role,
                by=SYSTEM,
                password=PASSWORD,
                name="" if role in PATIENT_SIDE else name or f"Some {role}",
            )
            seed = totp.new_seed()
            if factor:
                TOTPDevice.objects.create(user=user, seed=seed, confirmed=True)
        return Person(id=user.pk, role=role, email=email, password=PASSWORD, seed=seed)

    return make


Acts = Callable[..., list[Act]]
ClientFor = Callable[..., Browser]


@pytest.fixture
def client_for(db: None) -> ClientFor:
    """client_for(person or actor, *, factor_at=now) -> a client with a real session; factor_at=None: password only."""

    def make(who: Person | Actor | Any, *, factor_at: datetime | str | None = "now") -> Browser:
        browser = Browser()
        browser.force_login(User.objects.get(pk=who.id))
        session = browser.session
        session[live.SESSION] = str(Session.objects.create(account_id=who.id, kind=Session.Kind.BROWSER).pk)
        session[sessions.STARTED] = session[sessions.SEEN] = now().isoformat()
        at = now() if factor_at == "now" else factor_at
        if isinstance(at, datetime):
            session[sessions.FACTOR] = at.isoformat()
        session.save()
        return browser

    return make


@pytest.fixture
def audit_unit(db: None) -> Iterator[None]:
    """For tests that call services themselves."""
    with unit(SYSTEM, channel="command"):
        yield


@pytest.fixture
def acts(db: None) -> Acts:
    """What has been done since the test began, in order, what is not written yet included; changes of clear columns
    are left out, and openings unless asked for."""
    since = uuid7()
    quiet = {Act.OBJECT_CHANGED, Act.OBJECT_CREATED, Act.OBJECT_DELETED}

    def done(*, openings: bool = False) -> list[Act]:
        flush()
        found = Entry.objects.filter(id__gt=since).order_by("id").values_list("act", flat=True)
        return [Act(act) for act in found if act not in quiet and (openings or act != Act.RECORD_OPENED)]

    return done


def body(reply: Any) -> Any:
    """The JSON of a reply."""
    return json.loads(reply.content)
