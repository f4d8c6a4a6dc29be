"""One signed POST to the pharmacy network: no proxy, no redirect, a bounded answer in bounded time."""

import http.client
import time
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from prescribing import signature
from telehealth.vault import integrations

TIMEOUT_SECONDS = 15
LARGEST_ANSWER = 1024 * 1024


class Unreachable(Exception):
    """No answer, or none that could be read."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def post(body: bytes) -> Answer:
    """Send one SCRIPT message; Unreachable when nothing came back in time."""
    headers = {
        "Content-Type": "application/xml; charset=utf-8",
        signature.HEADER: signature.sign(integrations.reveal(settings.PHARMACY_NETWORK_SECRET), body, int(time.time())),
    }
    address = urlsplit(settings.PHARMACY_NETWORK_URL)
    connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    try:
        with closing(connect(address.netloc, timeout=TIMEOUT_SECONDS)) as line:
            line.request("POST", f"{address.path.rstrip('/')}/script", body, headers)
            reply = line.getresponse()
            return Answer(reply.status, reply.read(LARGEST_ANSWER))
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable from error
