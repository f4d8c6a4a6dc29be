"""How a person wants to be told, and whether a number may be texted. For services and handlers: faces ask `records`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.module_loading import import_string

from telehealth.outbox.models import ContactConsent, ContactPreference, Purpose, SentText, Verdict, Way
from telehealth.outbox.numbers import indexes_of
from telehealth.outbox.quiet import Quiet

VERDICT = {True: Verdict.GIVEN, False: Verdict.REVOKED}
A_DAY, A_WEEK = 1, 3
"""Automated texts of health care without further consent (47 CFR 64.1200(a)(9)(iv)): so many to a number."""


@dataclass(frozen=True)
class Contact:
    """A person's wishes, or what holds without any."""

    care: Way
    reminder: Way
    language: str
    zone: tzinfo
    quiet: Quiet

    def way(self, purpose: str) -> Way:
        """How to tell what is for this purpose; what is for none is told in any case."""
        return {Purpose.CARE: self.care, Purpose.REMINDER: self.reminder}[Purpose(purpose)] if purpose else Way.ANY


def contact_of(person_id: UUID | None) -> Contact:
    """One person's."""
    found = ContactPreference.objects.filter(person_id=person_id).first() if person_id else None
    return _contact(found or ContactPreference())


def contacts_of(people: Collection[UUID]) -> dict[UUID, Contact]:
    """Many people's, in one query."""
    rows = {row.person_id: row for row in ContactPreference.objects.filter(person_id__in=people)}
    return {person: _contact(rows.get(person) or ContactPreference()) for person in people}


def _contact(row: ContactPreference) -> Contact:
    zone = _zone(row.timezone)
    return Contact(Way(row.care), Way(row.reminder), row.language, zone, Quiet(row.quiet_from, row.quiet_to, zone))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name or settings.CLINIC_TIME_ZONE)
    except (KeyError, ValueError, OSError):  # a name that a newer time zone database knows no more
        return ZoneInfo(settings.CLINIC_TIME_ZONE)


def consents(number: str) -> dict[Purpose, bool | None]:
    """By purpose: whether the newest word about this number is a yes; None where there is none."""
    found: dict[Purpose, bool | None] = dict.fromkeys(Purpose)
    rows = ContactConsent.objects.filter(number__in=indexes_of(number)).order_by("at", "pk") if number else ()
    for row in rows:
        found[Purpose(row.purpose)] = row.verdict == Verdict.GIVEN
    return found


def may_text(number: str, purpose: str) -> bool:
    """Whether this number's holder agrees to texts for this purpose, as things stand now."""
    return consents(number)[Purpose(purpose)] is True


def spent(number: str, purpose: str, *, day: date, key: str) -> bool:
    """Whether the number has had as many texts for this purpose as it may, those of the message `key` not counted."""
    others = SentText.objects.filter(number__in=indexes_of(number), purpose=purpose).exclude(key=key)
    week = list(others.filter(day__gt=day - timedelta(days=7), day__lte=day + timedelta(days=1)).values_list("day", flat=True))
    return week.count(day) >= A_DAY or len(week) >= A_WEEK


def number_of(person_id: UUID) -> str:
    """The telephone number on file, by the address book; empty where there is none. The record is opened for it."""
    find = import_string(settings.OUTBOX_ADDRESS_BOOK)
    address = find(person_id)
    return str(address.phone) if address else ""


def told_how(person_id: UUID) -> dict[str, Any]:
    """Everything that somebody said about being told. Whose it may be, the face has asked."""
    row = ContactPreference.objects.filter(person_id=person_id).first() or ContactPreference()
    number = number_of(person_id)
    said = {purpose.value: None if given is None else VERDICT[given] for purpose, given in consents(number).items()}
    wishes = {name: getattr(row, name) for name in ("care", "reminder", "language", "timezone", "quiet_from", "quiet_to")}
    return {**wishes, "number": bool(number), "consents": said}
