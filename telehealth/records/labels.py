"""Sensitive categories: HL7 security labels on resources, by the sender's word or by what the code says.

A row carries a label as a keyed token of patient and category: without the key nobody reads which category it is, and equal
categories of two patients do not look alike. Sources: HL7 v3 ActCode (information sensitivity), 42 CFR Part 2,
45 CFR 164.501 and 164.508(a)(2) (psychotherapy notes).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from telehealth.records.digests import digest
from telehealth.records.importing import reading
from telehealth.records.sensitive import system_name


class Category(StrEnum):
    """What a person may least want known. The values are HL7 v3 ActCode's."""

    PSYCHOTHERAPY = "PSYTHPN"  # notes kept apart from the record, 45 CFR 164.501
    SUBSTANCE_USE = "SUD"  # 42 CFR Part 2
    SEXUAL_HEALTH = "SEX"  # reproductive and sexual health
    HIV = "HIV"
    MINORS_SERVICES = "ADOL"  # what a minor may consent to alone


TOLD = {  # labels in a resource's meta.security → category
    **{category.value: category for category in Category},
    "42CFRPart2": Category.SUBSTANCE_USE,
    "ETH": Category.SUBSTANCE_USE,
    "ETHUD": Category.SUBSTANCE_USE,
    "OPIOIDUD": Category.SUBSTANCE_USE,
    "STD": Category.SEXUAL_HEALTH,
}
# What the code itself says. Pregnancy and its care are labelled by the sender's word alone: hiding them would do harm.
ICD10: Mapping[Category, tuple[str, ...]] = {
    Category.SUBSTANCE_USE: (*(f"F1{n}" for n in "012345689"), "Z71.4", "Z71.5"),
    Category.HIV: ("B20", "Z21", "R75", "O98.7"),
    Category.SEXUAL_HEALTH: (*(f"A{n}" for n in range(50, 65)), "O04", "O07", "Z33.2"),
}
ICD9: Mapping[Category, tuple[str, ...]] = {
    Category.SUBSTANCE_USE: ("291", "292", "303", "304", "305.0", *(f"305.{n}" for n in range(2, 10))),
    Category.HIV: ("042", "V08", "079.53"),
    Category.SEXUAL_HEALTH: (*(f"09{n}" for n in range(1, 10)), "635", "636"),
}
SNOMED: Mapping[Category, frozenset[str]] = {
    Category.SUBSTANCE_USE: frozenset("5602001 6525002 7200002 15167005 66214007 191802004 191816009 231504006 361055000".split()),
    Category.HIV: frozenset("86406008 111880001 91947003 165816005".split()),
    Category.SEXUAL_HEALTH: frozenset("76272004 15628003 240589008 8098009".split()),
}
LOINC: Mapping[Category, frozenset[str]] = {
    Category.HIV: frozenset("7917-8 7918-6 29893-5 56888-1 75622-1 25836-8 20447-9".split()),
    Category.SEXUAL_HEALTH: frozenset("22587-0".split()),
}
ALONE = frozenset({Category.SUBSTANCE_USE, Category.SEXUAL_HEALTH, Category.HIV})  # what minors from twelve on consent to, by code
HIDDEN_FROM_PROXIES = frozenset({Category.MINORS_SERVICES, Category.PSYCHOTHERAPY})
MINORS_FROM = 12

REDISCLOSURE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
"""The short notice of 42 CFR 2.32(a)(2), which goes with every release of such records."""


def token(patient_id: UUID, category: Category) -> str:
    """How the category is written on a row of this patient: 16 hex digits."""
    return digest("label", str(patient_id), category).hex()[:16]


def tokens(patient_id: UUID, categories: Iterable[Category]) -> list[str]:
    """Those of several, sorted."""
    return sorted(token(patient_id, each) for each in categories)


def categories_of(patient_id: UUID, labels: Iterable[str]) -> list[Category]:
    """The categories that a row's tokens stand for, in the order above."""
    held = set(labels)
    return [category for category in Category if token(patient_id, category) in held]


def read(resource: reading.Resource, birth_date: str | None) -> set[Category]:
    """The categories of a resource, by its own labels and by its codes; `birth_date` tells whether it was a minor's."""
    told = {TOLD[code] for row in reading.rows(resource, "meta", "security") if (code := reading.text(row, "code")) in TOLD}
    by_code = {category for system, code in _codes(resource) for category in of_code(system, code)}
    if by_code & ALONE and _of_a_minor(reading.columns(resource).date, birth_date):
        told.add(Category.MINORS_SERVICES)
    return told | by_code


@lru_cache(maxsize=4096)
def of_code(system: str, code: str) -> frozenset[Category]:
    """The categories that one code tells of."""
    name, found = system_name(system), set()
    for table, part in ((ICD10, "icd-10"), (ICD9, "icd-9")):
        if part in name:
            found |= {category for category, prefixes in table.items() if code.upper().startswith(prefixes)}
    for codes, part in ((SNOMED, "snomed"), (LOINC, "loinc")):
        if part in name:
            found |= {category for category, known in codes.items() if code in known}
    return frozenset(found)


def _codes(thing: Any) -> Iterator[tuple[str, str]]:
    """Every coding anywhere in it: a claim's diagnosis or a visit's reason tells as much as a condition does."""
    if isinstance(thing, Mapping):
        if code := reading.text(thing, "code"):
            yield reading.text(thing, "system"), code
        for each in thing.values():
            yield from _codes(each)
    elif isinstance(thing, list):
        for each in thing:
            yield from _codes(each)


def _of_a_minor(at: datetime | None, birth_date: str | None) -> bool:
    try:
        born = date.fromisoformat(birth_date or "")
    except ValueError:
        return False
    if at is None:
        return False
    age = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return MINORS_FROM <= age < reading.ADULT


def notice(categories: Iterable[Any]) -> str:
    """What must go with a release of these categories, else nothing."""
    return REDISCLOSURE if Category.SUBSTANCE_USE in set(categories) else ""
