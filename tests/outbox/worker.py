"""A process for tests to kill or to cut off: delivers what is due to the door at argv[1]; `put` enqueues one message."""

import http.client
import os
import sys
from contextlib import closing
from typing import Any

import django
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string


def carry(message: Any) -> None:
    """Hand the message's key over, in one request."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)) as line:
        line.request("POST", "/", message.key.encode())
        line.getresponse().read()


def put() -> None:
    """One message under a known key, in a transaction of its own."""
    with transaction.atomic():
        enqueue = import_string("telehealth.outbox.services.enqueue")
        enqueue(destination="wire", kind="hello", object_id=import_string("audit.ledger.uuid7")(), key="put")


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    settings.OUTBOX_HANDLERS = {"wire": "tests.outbox.worker.carry"}
    if sys.argv[1] == "put":
        put()
    else:
        import_string("telehealth.outbox.services.deliver_due")()
