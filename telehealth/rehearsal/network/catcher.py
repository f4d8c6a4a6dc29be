"""Mail and text messages of the demonstration: caught here instead of sent, newest last."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import uuid4

KEPT = 500
LINK = re.compile(r"https?://[^\s<>\"]+")


class Malformed(Exception):
    """Not a message that the catcher takes."""


class Catcher:
    """Keeps the last 500 messages. A message that comes again under its key is kept once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def take(self, channel: str, body: bytes, key: str) -> None:
        """One message as JSON: `to`, `text`, and for mail `subject`; all text."""
        message = _message(channel, body)
        with self._lock:
            self._kept.setdefault(key or uuid4().hex, message)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def messages(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._kept.values())


def _message(channel: str, body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        raise Malformed from None
    wanted = ("to", "subject", "text") if channel == "email" else ("to", "text")
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in wanted):
        raise Malformed
    return {
        "channel": channel,
        "to": said["to"],
        "subject": said.get("subject", "") if channel == "email" else "",
        "text": said["text"],
        "links": [link.rstrip(".,)") for link in LINK.findall(said["text"])],
        "sent_at": datetime.now(UTC).isoformat(timespec="microseconds"),
    }
