"""DEA numbers in what comes: taken out of the clear tables' source, kept sealed, told apart by a keyed digest alone."""

from collections.abc import Mapping
from typing import Any

from telehealth.records.digests import digest
from telehealth.records.importing import reading

SYSTEMS = frozenset({"http://terminology.hl7.org/NamingSystem/usDEANumber", "urn:oid:2.16.840.1.113883.4.814"})
CODE = "DEA"  # of HL7's identifier types


def taken_out(resource: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The resource without DEA numbers, those of its qualifications included; and the first that was there, or ""."""
    rest, found = _without(resource)
    if isinstance(licences := rest.get("qualification"), list):
        parted = [_without(each) if isinstance(each, dict) else (each, []) for each in licences]
        rest["qualification"] = [each for each, _ in parted]
        found += [number for _, numbers in parted for number in numbers]
    return rest, next(iter(found), "")


def identity(number: str) -> str:
    """What stands in the clear for a DEA number where somebody is found again by it."""
    return f"dea|{digest('dea', number).hex()}"


def _without(holder: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    rows = holder.get("identifier")
    if not isinstance(rows, list):
        return dict(holder), []
    kept, found = [], []
    for row in rows:
        if isinstance(row, dict) and _is_dea(row):
            found.append(reading.text(row, "value"))
        else:
            kept.append(row)
    return {**holder, "identifier": kept}, [number for number in found if number]


def _is_dea(row: Mapping[str, Any]) -> bool:
    return row.get("system") in SYSTEMS or any(coding.get("code") == CODE for coding in reading.rows(row, "type", "coding"))
