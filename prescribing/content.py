"""What a prescription's signature covers: everything a pharmacy is told, as canonical bytes, and whether it still stands."""

import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings

from consults.canonical import canonical, digest
from prescribing import places
from prescribing.checks import plain
from prescribing.errors import CannotBeSent
from prescribing.models import Medication, Pharmacy, Prescription
from telehealth.records.models import Practitioner
from telehealth.vault import signing
from telehealth.vault.cipher import Broken

FORM = "telehealth.prescription.v1"
GENDERS = {"male": "M", "female": "F"}
Part = dict[str, Any]


def content_of(prescription: Prescription, signed_at: datetime) -> Part:
    """The content to be signed. CannotBeSent names, by field, what a prescription must have and this one lacks."""
    content = {
        "form": FORM,
        "prescription": str(prescription.pk),
        "number": prescription.number,
        "visit": str(prescription.visit_id),
        "signed_at": signed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "salt": secrets.token_hex(16),  # so that digest and signature tell nothing to who guesses at the content
        "patient": _patient(prescription),
        "prescriber": _prescriber(prescription.prescriber),
        "pharmacy": _pharmacy(prescription.pharmacy),
        **_order(prescription),
    }
    missing = [*_missing("patient", content["patient"], ("phone",)), *_missing("prescriber", content["prescriber"])]
    if missing:
        raise CannotBeSent(reply={"errors": [{"field": field, "code": "missing"} for field in missing]})
    return content


def _order(prescription: Prescription) -> Part:
    return {
        "medication": _medication(prescription.medication),
        "quantity": plain(prescription.quantity),
        "days_supply": prescription.days_supply,
        "refills": prescription.refills,
        "substitution": prescription.substitution,
        "sig": prescription.sig,
        "note": prescription.note,
    }


def _patient(prescription: Prescription) -> Part:
    """As the record has them; where the patient lives, or else where they were during the visit."""
    patient = prescription.patient
    return {
        "id": str(patient.pk),
        "family": patient.family,
        "given": patient.given,
        "gender": GENDERS.get(patient.gender, "U"),
        "birth_date": _full_date(patient.birth_date),
        "address": places.address(patient.address) or places.address(prescription.visit.location),
        "phone": places.phone(patient.phone),
    }


def _full_date(said: str | None) -> str:
    try:
        return date.fromisoformat(said or "").isoformat()
    except ValueError:
        return ""


def _prescriber(practitioner: Practitioner) -> Part:
    return {
        "id": str(practitioner.pk),
        "family": practitioner.family,
        "given": practitioner.given,
        "npi": practitioner.npi if practitioner.npi_valid else "",
        "address": places.address(settings.CLINIC_ADDRESS),
        "phone": places.phone(settings.CLINIC_PHONE),
    }


def _pharmacy(pharmacy: Pharmacy) -> Part:
    parts = ("line", "city", "state", "postal_code")
    return {
        "ncpdp_id": pharmacy.ncpdp_id,
        "npi": pharmacy.npi,
        "name": pharmacy.name,
        "address": {part: getattr(pharmacy, part) for part in parts},
        "phone": pharmacy.phone,
    }


def _medication(medication: Medication) -> Part:
    return {
        "rxcui": medication.rxcui,
        "term_type": medication.term_type,
        "description": medication.description,
        "unit": medication.unit,
        "schedule": medication.schedule,
    }


def _missing(who: str, part: Mapping[str, Any], optional: tuple[str, ...] = ()) -> list[str]:
    return [f"{who}.{name}" for name, value in part.items() if not value and name not in optional]


def faults(prescription: Prescription) -> list[str]:
    """What of a signed prescription is not what was signed, by name; empty when all of it is. Opens the prescription.

    The content must be what the digest and the signature were made over, and every column that repeats a part of it
    must say the same. The signer's key is an account's own; the content is sealed, so none but the vault could replace it.
    """
    try:
        return _faults(prescription)
    except Broken:  # what is sealed is not of this row and field, or is not sealed by us at all
        return ["sealed"]


def _faults(prescription: Prescription) -> list[str]:
    if prescription.content is None or prescription.signed_at is None:
        return ["unsigned"]
    raw = prescription.content.encode()
    found = []
    if not hmac.compare_digest(bytes(prescription.digest or b""), digest(raw)):
        found.append("digest")
    if prescription.key_id is None or not signing.verify(prescription.key_id, bytes(prescription.signature or b""), raw):
        found.append("signature")
    return [*found, *_differing(prescription, json.loads(raw))]


def _differing(prescription: Prescription, content: Part) -> list[str]:
    signed_at = prescription.signed_at or datetime.min.replace(tzinfo=UTC)
    now_says = {
        "prescription": str(prescription.pk),
        "number": prescription.number,
        "visit": str(prescription.visit_id),
        "signed_at": signed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "patient": str(prescription.patient_id),
        "prescriber": str(prescription.prescriber_id),
        "pharmacy": prescription.pharmacy.ncpdp_id,
        **{name: value for name, value in _order(prescription).items() if name != "medication"},
        "medication": prescription.medication.rxcui,
    }
    inner = {"patient": "id", "prescriber": "id", "pharmacy": "ncpdp_id", "medication": "rxcui"}
    then_said = {name: content[name][inner[name]] if name in inner else content[name] for name in now_says}
    return [name for name, value in now_says.items() if value != then_said[name]]


def as_bytes(content: Part) -> bytes:
    """The one byte form of the content."""
    return canonical(content)
