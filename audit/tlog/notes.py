"""Signed tree heads as C2SP `tlog-checkpoint` notes: origin, size, root, blank line, Ed25519 signature lines."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = b"\x01"  # the signature type of C2SP signed-note
_NOTE = re.compile(r"\A([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\n\n((?:— [^ \n]+ [A-Za-z0-9+/=]+\n)+)\Z")


class Signer(Protocol):
    """Signs checkpoints with Ed25519 (RFC 8032)."""

    def sign(self, message: bytes) -> bytes: ...
    def public_key(self) -> bytes: ...


class BadCheckpoint(Exception):
    """Not a checkpoint, or not signed by the key we trust. The message says which."""


@dataclass(frozen=True, slots=True)
class Head:
    """A tree head: `size` leaves with root hash `root`."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes by which a signature line names its key."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def signed(head: Head, signer: Signer) -> str:
    """The note."""
    body = head.body()
    line = key_id(head.origin, signer.public_key()) + signer.sign(body.encode())
    return f"{body}\n— {head.origin} {base64.b64encode(line).decode()}\n"


def opened(note: str, origin: str, public_key: bytes) -> Head:
    """The head of a note that this key signed for this origin, or BadCheckpoint."""
    found = _NOTE.match(note)
    if found is None:
        raise BadCheckpoint("malformed checkpoint")
    head = Head(found[1], int(found[2]), base64.b64decode(found[3]))
    if head.origin != origin:
        raise BadCheckpoint("foreign origin")
    wanted = key_id(origin, public_key)
    for line in found[4].splitlines():
        raw = base64.b64decode(line.rsplit(" ", 1)[1])
        if raw[:4] == wanted and _verifies(public_key, raw[4:], head.body().encode()):
            return head
    raise BadCheckpoint("foreign signature")


def _verifies(public_key: bytes, signature: bytes, body: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, body)
    except InvalidSignature:
        return False
    return True
