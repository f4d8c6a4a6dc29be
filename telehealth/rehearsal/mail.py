"""E-mail and text messages of a demonstration go to the catcher, and nowhere else."""

import http.client
import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

TIMEOUT_SECONDS = 5


class Backend(BaseEmailBackend):
    """Django's e-mail backend of the demonstration."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            for to in mail.recipients():
                said = {"to": to, "subject": str(mail.subject), "text": str(mail.body)}
                _post("/mail", said, f"{mail.extra_headers.get('Message-ID', '')}{to}")
        return len(email_messages)


def send_text(to: str, text: str, key: str) -> None:
    """The text message port of the demonstration."""
    _post("/sms", {"to": to, "text": text}, f"sms-{key}")


def caught() -> list[dict[str, Any]]:
    """What the catcher holds, newest last; OSError when it does not answer."""
    with closing(_line()) as line:
        line.request("GET", "/outbox")
        reply = line.getresponse()
        messages: list[dict[str, Any]] = json.loads(reply.read())
        return messages


def _post(path: str, said: dict[str, str], key: str) -> None:
    with closing(_line()) as line:
        line.request("POST", path, json.dumps(said).encode(), {"Content-Type": "application/json", "Idempotency-Key": key})
        reply = line.getresponse()
        reply.read()
        if reply.status >= 300:
            raise OSError(f"the catcher answered {reply.status}")


def _line() -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(settings.CATCHER_URL).netloc, timeout=TIMEOUT_SECONDS)
