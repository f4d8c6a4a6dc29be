"""Comparing the name of one of the staff, which is no secret, with a patient's, which is sealed.

The keyed tokens beside the patient's name say whom to compare; tokens are shared by many names, so the vault has the last word.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from telehealth.records.digests import query_tokens, words
from telehealth.records.models import Patient
from telehealth.vault import matches
from telehealth.vault.cipher import Broken

TITLES = frozenset("dr dra prof mr mrs ms miss mx sr jr ii iii iv md do rn np pa phd dds msw lcsw".split())
PARTICLES = frozenset("al bin da das de del della den der di do dos du el la las le los mac mc o of st van vander von y e".split())


@dataclass(frozen=True)
class Staff:
    """One of the staff, as people here call them."""

    account: UUID
    family: frozenset[str]
    given: frozenset[str]

    @cached_property
    def family_tokens(self) -> frozenset[int]:
        return frozenset(token for word in self.family for token in query_tokens(word))

    @cached_property
    def given_tokens(self) -> frozenset[int]:
        return frozenset(token for word in self.given for token in query_tokens(word))


def staff_of(account: UUID, family: str, given: str, name: str) -> Staff:
    """By family and given name where both are known, else by the account's name, whose first word is the given name."""
    if not words(family):
        parts = [word for word in words(name) if word not in TITLES]
        family, given = " ".join(parts[1:] or parts), " ".join(parts[:1] if len(parts) > 1 else [])
    return Staff(account, surnames(family), frozenset(words(given)))


def surnames(family: str) -> frozenset[str]:
    """The words of a family name by which families are told apart: "de la Cruz" is Cruz, a double name is both."""
    found = [word for word in words(family) if word not in TITLES]
    return frozenset(word for word in found if word not in PARTICLES) or frozenset(found)


def shares_surname(staff: Staff, patient: Patient) -> bool:
    """Whether a word of the family name is the same."""
    if not staff.family_tokens & set(patient.name_tokens):
        return False
    return holds(patient, "family", lambda family: bool(staff.family & surnames(family)))


def is_namesake(staff: Staff, patient: Patient) -> bool:
    """Whether given and family name are both the same: perhaps the same person."""
    if not staff.given_tokens & set(patient.name_tokens):
        return False
    return shares_surname(staff, patient) and holds(patient, "given", lambda given: bool(staff.given & set(words(given)[:1])))


def holds(patient: Patient, field: str, predicate: Callable[[Any], bool]) -> bool:
    """`matches`, where a record whose key is gone answers no."""
    try:
        return matches(patient, field, predicate)
    except Broken:
        return False
