"""A worker process for tests to kill: delivers what is due to the door at argv[1], until nothing is due."""

import http.client
import os
import sys
from contextlib import closing
from typing import Any

import django
from django.conf import settings
from django.utils.module_loading import import_string


def carry(message: Any) -> None:
    """Hand the message's key over, in one request."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)) as line:
        line.request("POST", "/", message.key.encode())
        line.getresponse().read()


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    settings.OUTBOX_HANDLERS = {"wire": "tests.outbox.worker.carry"}
    import_string("telehealth.outbox.services.deliver_due")()
