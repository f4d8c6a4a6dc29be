"""Sealing what is too long for one message: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015).

Sealed form: "TVF" | version | chunk size (4) | nonce prefix (7), then chunks of AES-256-GCM, each with its tag. A
chunk's nonce is prefix | its number (4) | 1 for the last one, else 0. The AAD is the head and what the file is bound to.
So a chunk is good for one place in one file: whoever cuts, appends, repeats, exchanges or reorders chunks is found out,
at the latest at the end. The key must be the file's own: the prefix is random, but only 56 bits of it.
"""

import os
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.ledger.chunks import Readable, exactly
from telehealth.vault.cipher import Broken

CHUNK = 256 * 1024
TAG = 16
_MAGIC = b"TVF\x01" + CHUNK.to_bytes(4, "big")
_PREFIX = 7


def seal(key: AESGCM, chunks: Iterable[bytes], bound_to: bytes) -> Iterator[bytes]:
    """The sealed form, a chunk at a time. At most 2^32 chunks (1 PiB)."""
    prefix = os.urandom(_PREFIX)
    head = _MAGIC + prefix
    yield head
    for number, (chunk, last) in enumerate(_measured(chunks)):
        yield key.encrypt(_nonce(prefix, number, last), chunk, head + bound_to)


def unseal(key: AESGCM, source: Readable, bound_to: bytes) -> Iterator[bytes]:
    """The plaintext, a chunk at a time, each after its tag was checked; Broken at the first that does not fit."""
    head = exactly(source, len(_MAGIC) + _PREFIX)
    if len(head) != len(_MAGIC) + _PREFIX or not head.startswith(_MAGIC):
        raise Broken
    prefix, number = head[len(_MAGIC) :], 0
    sealed = exactly(source, CHUNK + TAG)
    while True:
        following = exactly(source, CHUNK + TAG)
        try:
            chunk = key.decrypt(_nonce(prefix, number, not following), sealed, head + bound_to)
        except (InvalidTag, ValueError):
            raise Broken from None
        yield chunk
        if not following:
            return
        sealed, number = following, number + 1


def sealed_size(size: int) -> int:
    """How many bytes so many take up."""
    return len(_MAGIC) + _PREFIX + size + TAG * max(1, -(-size // CHUNK))


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _measured(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """(chunk, whether it is the last one): all of CHUNK bytes but the last, which may be empty only in an empty file."""
    waiting = bytearray()
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            if len(waiting) == CHUNK:
                yield bytes(waiting), False
                waiting.clear()
            taken = CHUNK - len(waiting)
            waiting += rest[:taken]
            rest = rest[taken:]
    yield bytes(waiting), True
