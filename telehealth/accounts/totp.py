"""Time-based one-time passwords (RFC 6238) as arithmetic: SHA-1, 30 s, six digits, one step of clock skew each way."""

import base64
import hmac
import secrets
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from django_otp.oath import hotp

STEP_SECONDS = 30
SKEW_STEPS = 1
DIGITS = 6
ISSUER = "Telehealth"


def new_seed() -> str:
    """160 random bits in base32 (RFC 4226 section 4, R6)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_of(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def start_of(step: int) -> datetime:
    """When authenticators begin to show this step's code."""
    return datetime.fromtimestamp(step * STEP_SECONDS, UTC)


def code_at(seed: str, step: int) -> str:
    return f"{hotp(base64.b32decode(seed), step, DIGITS):0{DIGITS}d}"


def matching_step(seed: str, code: str, moment: datetime) -> int | None:
    """The latest step within the skew whose code this is; every candidate is compared, in constant time."""
    typed = "".join(code.split()).encode()
    centre = step_of(moment)
    steps = range(centre - SKEW_STEPS, centre + SKEW_STEPS + 1)
    found = [step for step in steps if hmac.compare_digest(code_at(seed, step).encode(), typed)]
    return max(found, default=None)


def uri(seed: str, label: str) -> str:
    """What authenticator apps read from the QR code."""
    query = urlencode({"secret": seed, "issuer": ISSUER, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{quote(ISSUER)}:{quote(label)}?{query}"
