"""Keyed digests beside the blind indexes of the fields: where a thing came from, whether it changed, how a name begins."""

import re
import unicodedata
from uuid import UUID

from telehealth.vault import blind

LONGEST_PREFIX = 5  # letters; what a longer query begins with is compared inside the vault
SHORTEST_PREFIX = 2
TOKEN_BYTES = 3  # truncated: a token is shared by many names and proves none


def digest(label: str, *parts: str) -> bytes:
    """32 bytes that tell equality under a key, and nothing without it."""
    return blind.digest(f"records.{label}", "\x1f".join(parts), "exact")


def lock_name(label: str, *parts: str) -> UUID:
    """A name to take an advisory lock on, for things that have no row yet."""
    return UUID(bytes=digest(f"lock.{label}", *parts)[:16])


def words(name: str) -> list[str]:
    """Lower-case words of a name without accents or marks."""
    plain = unicodedata.normalize("NFKD", name)
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return re.findall(r"[^\W_]+", bare)


def name_tokens(*names: str) -> list[int]:
    """Tokens of every prefix by which these names may be looked for."""
    prefixes = {
        word[:length]
        for name in names
        for word in words(name)
        for length in range(min(SHORTEST_PREFIX, len(word)), min(LONGEST_PREFIX, len(word)) + 1)
    }
    return sorted(_token(prefix) for prefix in prefixes)


def query_tokens(query: str) -> list[int]:
    """One token for each word looked for: a row must have them all. Single letters are left to the comparison."""
    return [_token(word[:LONGEST_PREFIX]) for word in words(query) if len(word) >= SHORTEST_PREFIX]


def _token(prefix: str) -> int:
    return int.from_bytes(digest("Patient.name_tokens", prefix)[:TOKEN_BYTES])
