"""A signature over a body and its time, by a secret shared with somebody outside: `t=<unix seconds>,v1=<hex>`.

HMAC-SHA-256 over the time, a dot and the body.
"""

import hashlib
import hmac
import re

WINDOW_SECONDS = 300
_SHAPE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})", re.ASCII)


def sign(secret: str, body: bytes, at: int) -> str:
    """The header's value for a body sent at this second."""
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def fault(secret: str, body: bytes, header: str, at: int) -> str:
    """Empty if the header signs this body and was made within five minutes of now; else why not, as a code."""
    shape = _SHAPE.fullmatch(header)
    if not shape or not hmac.compare_digest(header, sign(secret, body, int(shape[1]))):
        return "bad_signature"
    return "stale_signature" if abs(at - int(shape[1])) > WINDOW_SECONDS else ""
