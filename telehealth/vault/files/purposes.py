"""Keys for what belongs to no patient's record: named, one each, kept and re-wrapped like a record's key."""

from uuid import UUID, uuid5

_PURPOSES = UUID("5c1b2f0e-8f1d-4f5e-9d55-0b1f6a1c7d10")


def purpose(name: str) -> UUID:
    """The id under which the key of this purpose is kept among the record keys: `record_id=purpose("exports")`."""
    return uuid5(_PURPOSES, name)


AUDIT_ARCHIVES = purpose("audit-archives")
"""Wraps the keys of archive files, which are in the files themselves: this key is re-wrapped, never replaced."""
