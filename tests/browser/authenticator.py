"""An authenticator app in somebody's hand (RFC 6238), which never shows a code twice."""

import base64
import hashlib
import hmac
import struct
import time

STEP = 30


class Authenticator:
    """Codes of one secret. The clinic accepts a step earlier and a step ahead, so three acts need not wait."""

    def __init__(self, secret: str) -> None:
        self.key = base64.b32decode(secret)
        self.last = -1

    def code(self) -> str:
        """The next unused code that is accepted now; waits for it when all were used."""
        while self.last >= self._now() + 1:
            time.sleep(1)
        self.last = max(self.last + 1, self._now() - 1)
        if self.last == self._now() - 1 and time.time() % STEP > STEP - 12:
            self.last += 1  # the oldest might not arrive in time
        return self.code_at(self.last)

    def code_at(self, step: int) -> str:
        """RFC 4226, six digits."""
        mac = hmac.new(self.key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = mac[-1] & 15
        number: int = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
        return f"{number % 1_000_000:06d}"

    def _now(self) -> int:
        return int(time.time()) // STEP
