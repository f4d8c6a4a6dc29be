"""Comparing inside the vault: candidates of a search that turn out to be others' are no openings."""

from collections.abc import Callable
from typing import Any

from audit.ledger import current
from telehealth.vault.fields import Sealed, SealedField


def matches(instance: Any, name: str, predicate: Callable[[Any], bool]) -> bool:
    """Whether the sealed field satisfies the predicate. Only the verdict leaves; needs a unit, registers nothing."""
    current()
    field = instance._meta.get_field(name)
    value = instance.__dict__.get(field.attname)
    if not isinstance(field, SealedField) or value is None:
        return False
    if type(value) is Sealed:
        value = field.decode(field.plaintext(instance, value))
    return bool(predicate(value))
