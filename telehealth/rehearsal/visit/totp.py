"""Time-based one-time passwords (RFC 6238, SHA-1, 6 digits, 30 seconds), as an authenticator app makes them."""

import base64
import hmac
import struct
import time


def code(secret: str, at: float | None = None) -> str:
    """The code of a base32 secret, now or at a time."""
    key = base64.b32decode(secret.replace(" ", "").upper() + "=" * (-len(secret.replace(" ", "")) % 8))
    counter = struct.pack(">Q", int((time.time() if at is None else at) // 30))
    digest = hmac.digest(key, counter, "sha1")
    start = digest[-1] & 0xF
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"
