"""The bytes a signature covers: RFC 8785 JSON over strings, booleans, integers below 2**53, null, lists and maps of ASCII keys."""

import hashlib
from typing import TypeAlias

import orjson

Canonical: TypeAlias = str | int | bool | list["Canonical"] | dict[str, "Canonical"] | None

_LARGEST = 2**53 - 1


def canonical(value: Canonical) -> bytes:
    """The one byte form of a value. TypeError or ValueError for what RFC 8785 and we would write differently."""
    _check(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(content: bytes) -> bytes:
    """SHA-256 of canonical bytes."""
    return hashlib.sha256(content).digest()


def _check(value: Canonical) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError("integer beyond 2**53")
    elif isinstance(value, list):
        for part in value:
            _check(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise TypeError("keys are ASCII strings")
            _check(part)
    else:
        raise TypeError("no canonical form")
