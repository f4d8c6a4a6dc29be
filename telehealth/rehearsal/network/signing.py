"""The signature both directions carry: HMAC-SHA-256 over the time of sending, a dot and the body."""

from __future__ import annotations

import hashlib
import hmac
import re
import time

HEADER = "X-Network-Signature"
WINDOW_SECONDS = 300
SHAPE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def signature(secret: bytes, body: bytes, at: int | None = None) -> str:
    """The header's value, `t=<unix seconds>,v1=<hex>`."""
    sent = int(time.time()) if at is None else at
    return f"t={sent},v1={hmac.new(secret, b'%d.' % sent + body, hashlib.sha256).hexdigest()}"


def is_signed(secret: bytes, body: bytes, header: str) -> bool:
    """Whether the header signs this body and was made within five minutes of now."""
    shape = SHAPE.fullmatch(header)
    if not shape or abs(time.time() - int(shape[1])) > WINDOW_SECONDS:
        return False
    return hmac.compare_digest(header, signature(secret, body, int(shape[1])))
