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
from telehealth.outbox import texts
from telehealth.outbox.errors import Park, Retry, Skip
from telehealth.outbox.models import Message
from telehealth.vault import integrations


@dataclass(frozen=True)
class Address:
    """Where a person is reached; empty where they are not."""

    email: str = ""
    phone: str = ""
    language: str = ""


AddressBook = Callable[[UUID], Address | None]
SendText = Callable[[str, str, str], None]
"""(to, text, idempotency key). Raises OSError when it did not work; `Park` when it never will."""


def email(message: Message) -> None:
    """Send by e-mail, with the message's key as its Message-ID."""
    address = _address(message)
    if not address.email:
        raise Skip("no_email")
    said = texts.render(message.kind, message.object_id, address.language)
    name = {"Message-ID": f"<{message.key}@telehealth>"}
    mail = EmailMessage(said.subject, said.text, to=[address.email], headers=name, connection=post_office())
    flush()  # the reading of the address is on record before the mail leaves
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        raise Retry("mail_unavailable") from error


def post_office() -> Any:
    """Django's way to the mail server, with the password that the settings say or stand for."""
    return get_connection(password=integrations.reveal(settings.EMAIL_HOST_PASSWORD))


def sms(message: Message) -> None:
    """Send as a text message; nobody without a phone, and nothing without a port."""
    if not settings.OUTBOX_SMS:
        raise Skip("no_sms_port")
    address = _address(message)
    if not address.phone:
        raise Skip("no_phone")
    said = texts.render(message.kind, message.object_id, address.language)
    send: SendText = import_string(settings.OUTBOX_SMS)
    flush()
    try:
        send(address.phone, said.text, message.key)
    except OSError as error:
        raise Retry("sms_unavailable") from error


def _address(message: Message) -> Address:
    find: AddressBook = import_string(settings.OUTBOX_ADDRESS_BOOK)
    address = find(message.person_id) if message.person_id else None
    if address is None:
        raise Park("no_such_person")
    return address
