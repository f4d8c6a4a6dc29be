"""Bundles to import: small ones made here, and the sample patients where they are at hand."""

import io
import json
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_FOLDERS = [parent / "shared" / "data" / "synthea" for parent in ROOT.parents[:2]]
SAMPLES = sorted(found for folder in SAMPLE_FOLDERS for found in folder.glob("[A-Z]*_*.json"))

Entry = dict[str, Any]


def entry(kind: str, **values: Any) -> Entry:
    """One entry with an address of its own."""
    url = values.pop("fullUrl", f"urn:uuid:{uuid4()}")
    resource = {"resourceType": kind, **values}
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": kind}}


def patient(**values: Any) -> Entry:
    """Vera Canary with a record number of her own."""
    number = {"type": {"coding": [{"code": "MR"}]}, "system": "urn:example:mrn", "value": f"V-{uuid4()}"}
    facts = {
        "identifier": [number],
        "name": [{"use": "official", "family": "Canary", "given": ["Vera", "M"]}],
        "birthDate": "1980-05-17",
        "gender": "female",
        "telecom": [{"system": "phone", "value": "617-555-0177"}, {"system": "email", "value": "vera@example.org"}],
        "address": [{"line": ["7 Finch Lane"], "city": "Quincy", "state": "MA", "postalCode": "02169"}],
    }
    return entry("Patient", **{**facts, **values})


def observation(whose: Entry, **values: Any) -> Entry:
    """A body height of whoever it is."""
    facts = {
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
        "subject": {"reference": whose["fullUrl"]},
        "effectiveDateTime": "2020-02-03T04:05:06Z",
    }
    return entry("Observation", **{**facts, **values})


def bundle(*entries: Any, **values: Any) -> dict[str, Any]:
    """A transaction of these entries."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries), **values}


def stream(content: Any) -> BinaryIO:
    """As a file: bytes as they are, anything else as JSON."""
    return io.BytesIO(content if isinstance(content, bytes) else json.dumps(content).encode())
