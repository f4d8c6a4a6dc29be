"""Appointments as RFC 5545 says them: when, and that it is one. No name, no reason, no specialty, whoever reads along."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.utils.translation import gettext

from scheduling.statuses import Status

PRODUCT = "-//Telehealth//Scheduling//EN"
STATUS = {Status.PENDING: "TENTATIVE", Status.CANCELLED: "CANCELLED"}
REFRESH = "PT15M"


@dataclass(frozen=True)
class Event:
    """One appointment or group visit. Its id is its UID for good; `sequence` grows when it moves or is called off."""

    id: UUID
    sequence: int
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    status: str = Status.BOOKED

    @property
    def state(self) -> str:
        """TENTATIVE while it is only held, CANCELLED when it is called off."""
        return STATUS.get(Status(self.status), "CONFIRMED")


def feed(events: Iterable[Event]) -> str:
    """A calendar of them, in UTC. The same events give the same text, so that a reader's copy can be known to be fresh."""
    summary = gettext("Appointment")
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", f"X-WR-CALNAME:{gettext('Appointments')}"]
    head += [f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}", f"X-PUBLISHED-TTL:{REFRESH}"]
    # By hand: nothing here needs escaping or folding, and a library takes a hundred times as long for a year of it.
    lines = [line for event in events for line in _lines(event, summary)]
    return "\r\n".join([*head, *lines, "END:VCALENDAR", ""])


def _lines(event: Event, summary: str) -> tuple[str, ...]:
    return (
        "BEGIN:VEVENT",
        f"UID:{event.id}",
        f"DTSTAMP:{_utc(event.made_at)}",
        f"DTSTART:{_utc(event.starts_at)}",
        f"DTEND:{_utc(event.ends_at)}",
        f"SEQUENCE:{event.sequence}",
        f"STATUS:{event.state}",
        f"SUMMARY:{summary}",
        f"TRANSP:{'TRANSPARENT' if event.state == 'CANCELLED' else 'OPAQUE'}",
        "CLASS:PRIVATE",
        "END:VEVENT",
    )


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
