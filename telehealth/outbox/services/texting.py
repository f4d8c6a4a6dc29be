"""The last question before a text leaves."""

from uuid import UUID

from django.db import transaction

from telehealth.core import lock, now
from telehealth.outbox.models import Message, Purpose, SentText
from telehealth.outbox.numbers import index_of
from telehealth.outbox.selectors import Contact, may_text, spent

LIMITED = (Purpose.REMINDER,)


def obstacle(message: Message, number: str, contact: Contact) -> str:
    """Why this number is not texted now, as a code; empty when it may be."""
    purpose = purpose_of(message)
    if not may_text(number, purpose):
        return "no_consent"
    today = now().astimezone(contact.zone).date()
    if purpose in LIMITED and spent(number, purpose, day=today, key=message.key):
        return "text_limit"
    return ""


@transaction.atomic
def reserve(message: Message, number: str, contact: Contact, language: str = "") -> str:
    """Ask once more and take the number's turn, counted before it is used: a code, or empty. Two workers ask one after the other."""
    index = index_of(number)
    lock(UUID(bytes=index[:16]))
    if why := obstacle(message, number, contact):
        return why
    today = now().astimezone(contact.zone).date()
    about = {"number": index, "purpose": purpose_of(message), "language": language, "day": today}
    SentText.objects.update_or_create(key=message.key, defaults=about)
    return ""


def purpose_of(message: Message) -> Purpose:
    """What is texted for no other purpose is about the person's care."""
    return Purpose(message.purpose or Purpose.CARE)
