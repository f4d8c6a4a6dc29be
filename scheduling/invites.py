"""What a patient's calendar is told with a mail about an appointment (iTIP, RFC 5546): that it is, when, or that it is no more."""

from email.utils import parseaddr
from uuid import UUID

import icalendar
from django.conf import settings
from django.utils.translation import gettext
from icalendar import vCalAddress

from scheduling import selectors
from scheduling.ical import PRODUCT, Event
from telehealth.core import now

FILE = "appointment.ics"


def attached(about_id: UUID) -> tuple[str, str, bytes] | None:
    """For `OUTBOX_ATTACHMENTS`: REQUEST while it stands, CANCEL once it is called off, as it stands when the mail leaves; None
    for what is no appointment. Of the patient it says the address that the mail goes to."""
    found = selectors.invited(about_id)
    if found is None:
        return None
    event, email = found
    method = "CANCEL" if event.state == "CANCELLED" else "REQUEST"
    return FILE, f"text/calendar; method={method}", _calendar(event, method, email)


def _calendar(event: Event, method: str, email: str) -> bytes:
    calendar = icalendar.Calendar()
    for name, value in (("version", "2.0"), ("prodid", PRODUCT), ("method", method), ("calscale", "GREGORIAN")):
        calendar.add(name, value)
    calendar.add_component(_event(event, email))
    made: bytes = calendar.to_ical()
    return made


def _event(event: Event, email: str) -> icalendar.Event:
    made = icalendar.Event()
    facts = {
        "uid": str(event.id),
        "dtstamp": now(),
        "dtstart": event.starts_at,
        "dtend": event.ends_at,
        "sequence": event.sequence,
        "status": event.state,
        "summary": gettext("Appointment"),
        "class": "PRIVATE",
        "url": settings.PUBLIC_URL,
        "organizer": vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"),
    }
    for name, value in facts.items():
        made.add(name, value)
    going = {"PARTSTAT": "ACCEPTED", "RSVP": "FALSE", "ROLE": "REQ-PARTICIPANT"}
    made.add("attendee", vCalAddress(f"mailto:{email}"), parameters=going)
    return made
