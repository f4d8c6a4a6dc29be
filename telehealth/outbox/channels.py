"""The handlers that reach people: e-mail through Django's backend, text messages through the port the settings name."""

from collections.abc import Callable
from dataclasses import dataclass
from smtplib import SMTPException
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils.module_loading import import_string

from audit.ledger import flush
from telehealth.core import now
from telehealth.outbox import texts
from telehealth.outbox.errors import NotYet, Park, Retry, Skip
from telehealth.outbox.models import Message, Purpose, Way
from telehealth.outbox.selectors import Contact, contact_of
from telehealth.outbox.services.texting import obstacle, reserve
from telehealth.vault import integrations


@dataclass(frozen=True)
class Address:
    """Where a person is reached; empty where they are not."""

    email: str = ""
    phone: str = ""
    language: str = ""


Attach = Callable[[UUID], tuple[str, str, bytes] | None]
AddressBook = Callable[[UUID], Address | None]
SendText = Callable[[str, str, str], None]
"""(to, text, idempotency key). Raises OSError when it did not work; `Park` when it never will."""


def email(message: Message) -> None:
    """Send by e-mail, with the message's key as its Message-ID; not to who is told by text instead."""
    contact, address = _ready(message)
    if not address.email:
        raise Skip("no_email")
    if contact.way(message.purpose) == Way.SMS and not _untexted(message, address, contact):
        raise Skip("prefers_sms")
    said = texts.render(message.kind, message.object_id, contact.language or address.language, contact.zone)
    headers = {"Message-ID": f"<{message.key}@telehealth>"}
    mail = EmailMessage(said.subject, said.text, to=[address.email], headers=headers, connection=post_office())
    if attached := _attached(message):
        name, kind, content = attached
        mail.attach(name, content, kind)
    flush()  # the reading of the address is on record before the mail leaves
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        raise Retry("mail_unavailable") from error


def _attached(message: Message) -> tuple[str, str, bytes] | None:
    """What goes along with mails of this kind, as things stand now: file name, media type, content."""
    path = settings.OUTBOX_ATTACHMENTS.get(message.kind)
    if not path:
        return None
    make: Attach = import_string(path)
    return make(message.object_id)


def post_office() -> Any:
    """Django's way to the mail server, with the password that the settings say or stand for."""
    return get_connection(password=integrations.reveal(settings.EMAIL_HOST_PASSWORD))


def sms(message: Message) -> None:
    """Send as a text message: to nobody without a phone, through nothing without a port, and not without the holder's consent
    to this purpose, which is asked for last."""
    contact, address = _ready(message)
    if contact.way(message.purpose) == Way.EMAIL:
        raise Skip("prefers_email")
    if why := _without_way(address):
        raise Skip(why)
    if message.purpose == Purpose.REMINDER and contact.quiet.holds(now()):
        raise NotYet("quiet_hours", contact.quiet.after(now()))
    language = contact.language or address.language
    text = texts.brief(message.kind, message.object_id, language, contact.zone)
    send: SendText = import_string(settings.OUTBOX_SMS)
    if why := reserve(message, address.phone, contact, language):
        raise Skip(why)
    flush()
    try:
        send(address.phone, text, message.key)
    except OSError as error:
        raise Retry("sms_unavailable") from error


def _ready(message: Message) -> tuple[Contact, Address]:
    """Whom it is for and how they want it, unless it is no longer to be said (`OUTBOX_CHECKS`) or they want none of its kind."""
    if check := settings.OUTBOX_CHECKS.get(message.kind):
        import_string(check)(message.object_id)
    contact = contact_of(message.person_id)
    if contact.way(message.purpose) == Way.NONE:
        raise Skip("not_wanted")
    return contact, _address(message)


def _untexted(message: Message, address: Address, contact: Contact) -> str:
    """Why a text will not do for this person, as a code; empty when it will."""
    return _without_way(address) or obstacle(message, address.phone, contact)


def _without_way(address: Address) -> str:
    if not settings.OUTBOX_SMS:
        return "no_sms_port"
    return "" if address.phone else "no_phone"


def _address(message: Message) -> Address:
    find: AddressBook = import_string(settings.OUTBOX_ADDRESS_BOOK)
    address = find(message.person_id) if message.person_id else None
    if address is None:
        raise Park("no_such_person")
    return address
