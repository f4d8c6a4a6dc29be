"""From what was parsed to the text that is kept: references renamed to our ids, numbers digit for digit."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from telehealth.records.errors import MalformedBundle

LINKS = frozenset({"url", "uri", "valueUri", "valueUrl", "valueUuid", "valueOid"})
URN = re.compile(r"urn:(?:uuid|oid):[0-9A-Za-z.\-]+")
LARGEST_EXPONENT = 300
WORD = 2**63

Resolve = Callable[[str], str | None]


def plain(resource: Any) -> bytes:
    """Canonical bytes: sorted, numbers as they came."""
    return orjson.dumps(resource, default=_exact, option=orjson.OPT_SORT_KEYS)


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError


def settled(resource: Any) -> Any:
    """The same with numbers that can be written again; raises MalformedBundle at one that has no sensible size."""
    return _walk(resource, lambda value: value, Counter())


def without_nul(thing: Any) -> Any:
    """For the clear tables: PostgreSQL keeps no NUL."""
    if isinstance(thing, dict):
        return {key.replace("\0", ""): without_nul(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [without_nul(value) for value in thing]
    return thing.replace("\0", "") if isinstance(thing, str) else thing


def renamed(resource: Mapping[str, Any], resolve: Resolve, pk: UUID) -> tuple[dict[str, Any], int]:
    """The resource under our id with its references resolved, and how many could not be."""
    lost: Counter[str] = Counter()
    made = _walk(resource, resolve, lost)
    made["id"] = str(pk)
    meta = made.get("meta")
    made["meta"] = {key: meta[key] for key in meta if key not in ("versionId", "lastUpdated")} if isinstance(meta, dict) else {}
    return made, lost["reference"]


def stamped(resource: dict[str, Any], version: int, at: datetime) -> str:
    """The text to be sealed."""
    meta = {**resource["meta"], "versionId": str(version), "lastUpdated": at.isoformat()}
    return plain({**resource, "meta": meta}).decode()


def _walk(thing: Any, resolve: Resolve, lost: Counter[str], key: str = "") -> Any:
    if isinstance(thing, dict):
        return {name: _walk(value, resolve, lost, name) for name, value in thing.items()}
    if isinstance(thing, list):
        return [_walk(value, resolve, lost, key) for value in thing]
    if isinstance(thing, str):
        return _link(thing, resolve, lost, key)
    if isinstance(thing, Decimal):
        if abs(thing.adjusted()) > LARGEST_EXPONENT:
            raise MalformedBundle()
    elif isinstance(thing, int) and not -WORD <= thing < WORD:
        return orjson.Fragment(str(thing))
    return thing


def _link(value: str, resolve: Resolve, lost: Counter[str], key: str) -> str:
    if key == "reference":
        found = value if value.startswith("#") else resolve(value)
        lost["reference"] += found is None
        return value if found is None else found
    if key in LINKS:
        return resolve(value) or value
    if key == "div" and "urn:" in value:
        return URN.sub(lambda urn: resolve(urn[0]) or urn[0], value)
    return value
