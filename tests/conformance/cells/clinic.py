"""The clinic that is asked: ids of all that is in it, and a browser for each person, whose session can be put back."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from telehealth.accounts import live, sessions
from telehealth.accounts.models import Session, User
from telehealth.core import now
from telehealth.records.labels import Category
from telehealth.records.models import (
    Practitioner,
)
from tests.conformance.cells.oracle import Who
from tests.people import Browser

HOUR = timedelta(hours=1)
KINDS: tuple[Category | None, ...] = (None, *Category)
CONSENTED = Category.HIV  # by pia, to her care team; nothing else is
PLAN = "plan of %s %s."
PASSWORD = "a kettle of fish and chips"


@dataclass
class Clinic:
    """Ids of everything by record and thing, and a browser for each person."""

    accounts: dict[str, UUID] = field(default_factory=dict)
    doctors: dict[str, Practitioner] = field(default_factory=dict)
    browsers: dict[str, "Kept"] = field(default_factory=dict)
    things: dict[str, dict[str, UUID]] = field(default_factory=dict)
    rows: dict[tuple[str, Category | None], UUID] = field(default_factory=dict)
    notes: dict[tuple[str, Category | None], UUID] = field(default_factory=dict)
    seeds: dict[str, str] = field(default_factory=dict)

    def thing(self, record: str, name: str) -> UUID:
        """The id of this thing of this record."""
        return self.things[record][name]

    def browser(self, who: str) -> "Kept":
        return self.browsers[who]


class Kept(Browser):
    """A browser whose session can be put back as it was: sessions live in the cache, which no rollback reaches."""

    kept: dict[str, Any]
    put_at: datetime

    def put_back(self) -> None:
        """And with a factor shown just now, for on a busy machine the walk outlasts one."""
        session, self.put_at = self.session, now()
        self.kept |= {name: self.put_at.isoformat() for name in (sessions.SEEN, sessions.FACTOR)}
        session.clear()
        session.update(self.kept)
        session.save()


def signed_in(made: Clinic, who: Who, kind: type[Kept] = Kept, **options: Any) -> Kept:
    """A browser with a session that has shown both factors, and that remembers the emergencies it declared."""
    browser = kind(**options)
    browser.raise_request_exception = False
    account = made.accounts[who.name]
    browser.force_login(User.objects.get(pk=account))
    session = browser.session
    session[live.SESSION] = str(Session.objects.create(account_id=account, kind=Session.Kind.BROWSER, seen_at=now() + HOUR).pk)
    session[sessions.STARTED] = session[sessions.SEEN] = session[sessions.FACTOR] = now().isoformat()
    declared = {str(made.thing(record, "patient")): (now() + HOUR).isoformat() for record in who.declared | who.declared_once}
    session[sessions.EMERGENCY] = declared
    session.save()
    browser.kept = dict(session.items())
    browser.put_back()
    return browser
