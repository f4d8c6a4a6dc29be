"""What a bill needs of a resource: codes and coverage, out of FHIR that may hold anything anywhere."""

import json
from typing import Any

from telehealth.records.importing import reading
from telehealth.records.models import ClinicalResource

BILLED = ("Condition", "Procedure", "Encounter", "Immunization", "Coverage")
CODED = ("code", "vaccineCode", "class")
CODED_LISTS = ("type", "reasonCode")


def codes(resource: ClinicalResource) -> list[dict[str, str]]:
    """System and code of what it is, never what anybody wrote beside it; nothing for a coverage."""
    if resource.type == "Coverage":
        return []
    body = _read(resource)
    concepts = [body.get(name) for name in CODED] + [row for name in CODED_LISTS for row in reading.rows(body, name)]
    codings = [row for concept in concepts for row in [*reading.rows(concept, "coding"), concept]]
    return [coding for row in codings if (coding := _coding(row))]


def coverage(resource: ClinicalResource) -> dict[str, str] | None:
    """Payer, number, period and relationship of a coverage."""
    if resource.type != "Coverage":
        return None
    body = _read(resource)
    return {
        "payor": reading.text(body, "payor", 0, "display"),
        "subscriber": reading.text(body, "subscriberId"),
        "dependent": reading.text(body, "dependent"),
        "relationship": reading.text(body, "relationship", "coding", 0, "code"),
        "type": reading.text(body, "type", "coding", 0, "code"),
        "starts": reading.text(body, "period", "start"),
        "ends": reading.text(body, "period", "end"),
    }


def _coding(row: Any) -> dict[str, str] | None:
    """Free text in a code's place is no code."""
    system, code = reading.text(row, "system"), reading.text(row, "code")
    fits = system and reading.URI.fullmatch(system) and reading.TOKEN.fullmatch(code)
    return {"system": system, "code": code} if fits else None


def _read(resource: ClinicalResource) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(resource.body)
    return read
