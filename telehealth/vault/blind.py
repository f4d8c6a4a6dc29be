"""Blind indexes: find by equality what is sealed. HMAC-SHA-256 over the normalised value, a key per field.

They reveal which rows hold equal values to whoever reads the database, and nothing without the key. Low-entropy
facts (sex, state, birth year) must not be indexed.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import phonenumbers
from django.apps import apps

from telehealth.vault import keyring, phases

_VERSION = "v1"  # of the rules below: a changed rule needs a re-index


class Index(bytes):
    """What to look for. While the index root changes a row may be found by either version: `filter(<index>=...)` asks for both."""

    either: tuple[bytes, ...]

    @classmethod
    def of(cls, digests: list[bytes]) -> "Index":
        made = cls(digests[0])
        made.either = tuple(digests)
        return made


def blind(label: str, value: Any) -> Index:
    """The index of a value for a field named "app.Model.source": for filter(<index>=...)."""
    app, model, source = label.split(".")
    fields = apps.get_model(app, model)._meta.concrete_fields
    rule = next(field.normalise for field in fields if getattr(field, "source", None) == source)
    label = f"{apps.get_model(app, model)._meta.label}.{source}"
    return Index.of([digest(label, value, rule, version) for version in phases.known().looked_up])


def digest(label: str, value: Any, rule: str, version: int = 1) -> bytes:
    """32 bytes, under the key of that field alone, from one version of the index root."""
    key = keyring.derived(f"blind:{_VERSION}:{label}", version)
    return hmac.digest(key, NORMALISE[rule](_text(value)).encode(), hashlib.sha256)


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if isinstance(value, Mapping) else str(value)


def _folded(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _name(value: str) -> str:
    plain = unicodedata.normalize("NFKD", _folded(value))
    return "".join(each for each in plain if not unicodedata.combining(each))


def _identifier(value: str) -> str:
    return re.sub(r"[\W_]+", "", _folded(value))


def _phone(value: str) -> str:
    """E.164; a number without a country code is read as one of the United States."""
    try:
        parsed = phonenumbers.parse(value, "US")
    except phonenumbers.NumberParseException:
        return re.sub(r"\D+", "", value)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


_SHORT = {  # how the postal service shortens what people write out (USPS Publication 28)
    "apartment": "apt",
    "avenue": "ave",
    "boulevard": "blvd",
    "court": "ct",
    "drive": "dr",
    "east": "e",
    "lane": "ln",
    "north": "n",
    "place": "pl",
    "road": "rd",
    "south": "s",
    "street": "st",
    "suite": "ste",
    "unit": "apt",
    "west": "w",
}


def _address(value: str) -> str:
    """Line and postal code of {line, city, state, postal_code, ...}: those two say where; "" when there is no line."""
    parts = orjson.loads(value)
    line = re.findall(r"[^\W_]+", _name(str(parts.get("line") or "")))
    code = re.sub(r"\W+", "", str(parts.get("postal_code") or ""))[:5]
    return " ".join([*(_SHORT.get(word, word) for word in line), code.casefold()]) if line else ""


NORMALISE: Mapping[str, Callable[[str], str]] = {
    "address": _address,
    "date": str.strip,
    "email": _folded,
    "exact": str,
    "identifier": _identifier,
    "name": _name,
    "phone": _phone,
}
