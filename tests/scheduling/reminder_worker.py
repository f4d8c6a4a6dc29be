"""A process for tests to kill: the nightly reminders, made and delivered. All that leaves goes to the door at argv[1]."""

import http.client
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import django
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.utils.module_loading import import_string

BATCH = 3


def bring(what: str) -> None:
    """Hand it over, in one request."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)) as line:
        line.request("POST", "/", what.encode())
        line.getresponse().read()


def send_text(to: str, text: str, key: str) -> None:
    bring(key)


class Backend(BaseEmailBackend):
    """Mail: its key is in the Message-ID."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        for mail in email_messages:
            bring(mail.extra_headers["Message-ID"].strip("<>").removesuffix("@telehealth"))
        return len(email_messages)


def tell_of_each(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """The door hears of each reminder that is being made, before its transaction is over."""
    done = execute(sql, *arguments)
    if str(sql).startswith('INSERT INTO "scheduling_reminder"'):
        bring("made")
    return done


def work() -> None:
    system = import_string("audit.ledger.SYSTEM")
    with import_string("audit.ledger.unit")(system, channel="task"), connection.execute_wrapper(tell_of_each):
        import_string("scheduling.services.make_reminders")(by=system, size=BATCH)
    import_string("telehealth.outbox.services.deliver_due")(limit=1000)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    settings.APPOINTMENT_REMINDERS = [1440]
    settings.EMAIL_BACKEND = "tests.scheduling.reminder_worker.Backend"
    settings.OUTBOX_SMS = "tests.scheduling.reminder_worker.send_text"
    work()
