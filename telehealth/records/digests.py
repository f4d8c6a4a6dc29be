"""Keyed digests beside the blind indexes of the fields: where a thing came from, whether it changed, how a name begins."""

import re
import unicodedata
from uuid import UUID

from django.db.models import Q

from telehealth.vault import blind, phases

LONGEST_PREFIX = 5  # letters; what a longer query begins with is compared inside the vault
SHORTEST_PREFIX = 2
TOKEN_BYTES = 3  # truncated: a token is shared by many names and proves none


def digest(label: str, *parts: str, version: int = 1) -> bytes:
    """32 bytes that tell equality under a key, and nothing without it."""
    return blind.digest(f"records.{label}", "\x1f".join(parts), "exact", version)


def lock_name(label: str, *parts: str) -> UUID:
    """A name to take an advisory lock on, for things that have no row yet."""
    return UUID(bytes=digest(f"lock.{label}", *parts)[:16])


def words(name: str) -> list[str]:
    """Lower-case words of a name without accents or marks."""
    plain = unicodedata.normalize("NFKD", name)
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return re.findall(r"[^\W_]+", bare)


def name_tokens(*names: str) -> list[int]:
    """Tokens of every prefix by which these names may be looked for, as they are written now; holds that until the commit."""
    return tokens_under(phases.held().written, *names)


def tokens_under(version: int, *names: str) -> list[int]:
    """The same under one version of the index root."""
    prefixes = {
        word[:length]
        for name in names
        for word in words(name)
        for length in range(min(SHORTEST_PREFIX, len(word)), min(LONGEST_PREFIX, len(word)) + 1)
    }
    return sorted(_token(prefix, version) for prefix in prefixes)


def query_tokens(query: str) -> list[int]:
    """One token for each word looked for: a row must have them all. Single letters are left to the comparison."""
    return _tokens_of_query(query, phases.known().current)


def named(query: str) -> Q:
    """Rows whose `name_tokens` have them all, under whichever version they were written."""
    found = Q()
    for version in phases.known().looked_up:
        found |= Q(name_tokens__contains=_tokens_of_query(query, version))
    return found


def _tokens_of_query(query: str, version: int) -> list[int]:
    return [_token(word[:LONGEST_PREFIX], version) for word in words(query) if len(word) >= SHORTEST_PREFIX]


def _token(prefix: str, version: int) -> int:
    return int.from_bytes(digest("Patient.name_tokens", prefix, version=version)[:TOKEN_BYTES])
