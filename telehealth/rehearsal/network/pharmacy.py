"""The network's desk: takes NewRx messages, answers each once and for all, and confirms a moment later."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from telehealth.rehearsal.network import script
from telehealth.rehearsal.network.script import Envelope

REMEMBERED = 20_000
REJECTS = "9900900"
"""A pharmacy that is not on file: every NewRx to it is answered with Error 900, description 002."""
STUMBLES = "9900600"
"""A pharmacy behind a bad line: the first two tries of every message are answered with Error 600."""
STUMBLES_FOR = 2

Value = TypeVar("Value")


class Pharmacy:
    """Answers by (From, MessageID): the same body gets the same answer, another body gets Error 900."""

    def __init__(self, confirm: Callable[[bytes], None]) -> None:
        self._confirm = confirm
        self._answers: OrderedDict[tuple[str, str], tuple[bytes, bytes]] = OrderedDict()
        self._stumbled: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = Lock()

    def take(self, body: bytes) -> bytes:
        """Answer one message at once; a NewRx that was taken is confirmed with Status 010 later. May raise Malformed."""
        envelope = script.read(body)
        digest = hashlib.sha256(body).digest()
        key = (envelope.sender, envelope.message_id)
        with self._lock:
            if key in self._answers:
                known, answer = self._answers[key]
                return answer if known == digest else script.error("900", about=envelope)
            if self._stumbles(key, envelope):
                return script.error("600", "008", about=envelope)
            answer = self._answer(envelope)
            _remember(self._answers, key, (digest, answer))
        return answer

    def _stumbles(self, key: tuple[str, str], envelope: Envelope) -> bool:
        tries = self._stumbled.get(key, 0) + 1
        if envelope.to != STUMBLES or tries > STUMBLES_FOR:
            return False
        _remember(self._stumbled, key, tries)
        return True

    def _answer(self, envelope: Envelope) -> bytes:
        if envelope.kind != "NewRx":
            return script.error("900", about=envelope)
        if envelope.to == REJECTS:
            return script.error("900", "002", about=envelope)
        self._confirm(script.status("010", envelope))
        return script.status("000", envelope)


def _remember(kept: OrderedDict[tuple[str, str], Value], key: tuple[str, str], value: Value) -> None:
    kept[key] = value
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
