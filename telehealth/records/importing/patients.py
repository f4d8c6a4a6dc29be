"""The patient of a bundle: found again by identifier, else by full URL, else made."""

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from audit.ledger import uuid7
from telehealth.core import lock, now
from telehealth.records.digests import digest, lock_name, name_tokens
from telehealth.records.errors import IdentifiersDisagree
from telehealth.records.importing import reading
from telehealth.records.importing.reading import Demographics
from telehealth.records.importing.writing import Resolve, plain, renamed, stamped
from telehealth.records.models import ClinicalResourceVersion, Patient, PatientIdentifier
from telehealth.vault import matches
from telehealth.vault.blind import blind

Pairs = list[tuple[str, str]]


def find(resource: Mapping[str, Any], url: str) -> Patient | None:
    """The patient we have already, or None; holds locks on all the names, so that two imports make one patient."""
    pairs = list(dict.fromkeys(reading.identifiers(resource)))
    lock(lock_name("patient", url), *(lock_name("patient", *pair) for pair in pairs))
    owners = set(PatientIdentifier.objects.filter(_any_of(pairs)).values_list("patient_id", flat=True)) if pairs else set()
    if len(owners) > 1:
        raise IdentifiersDisagree()
    by_name = Q(pk__in=owners) if owners else Q(source_key=source_key(url))
    found = Patient.objects.select_for_update().filter(by_name).first()
    if found and _another_person(found, reading.demographics(resource)):
        raise IdentifiersDisagree()
    return found


def source_key(url: str) -> bytes:
    """By which a patient without identifiers is found again."""
    return digest("Patient.source", url)


def _any_of(pairs: Pairs) -> Q:
    query = Q()
    for system, value in pairs:
        query |= Q(system=system, value_index=blind("records.PatientIdentifier.value", value))
    return query


def _another_person(patient: Patient, told: Demographics) -> bool:
    """Name and birth date both differ: a number typed wrongly must not mix two records."""
    differs_in_birth = matches(patient, "birth_date", lambda held: bool(told.birth_date) and held != told.birth_date)
    differs_in_name = matches(patient, "family", lambda held: bool(held and told.family) and held.casefold() != told.family.casefold())
    return differs_in_birth and differs_in_name


def store(patient: Patient | None, resource: dict[str, Any], url: str, resolve: Resolve, pk: UUID) -> tuple[Patient, str]:
    """Make or change the patient's row; says "stored", "updated" or "unchanged"."""
    body, _ = renamed(resource, resolve, pk)
    key = digest("Patient.body", plain(body).decode())
    if patient and patient.body_key is not None and bytes(patient.body_key) == key:
        return patient, "unchanged"
    told, outcome = reading.demographics(resource), "updated" if patient else "stored"
    if patient is None:
        patient = Patient(pk=pk, mrn=_free_mrn(told.mrn, pk), source_key=source_key(url))
    elif patient.body_key is not None:
        _keep(patient)
    patient.version += outcome == "updated"
    patient.body, patient.body_key = stamped(body, patient.version, now()), key
    _describe(patient, told)
    patient.save()
    _add_identifiers(patient, list(dict.fromkeys(reading.identifiers(resource))))
    return patient, outcome


def _describe(patient: Patient, told: Demographics) -> None:
    for name in ("family", "given", "birth_date", "gender", "phone", "email", "address", "deceased", "is_deceased", "language"):
        setattr(patient, name, getattr(told, name))
    patient.name_tokens = name_tokens(told.family, told.given)


def _keep(patient: Patient) -> None:
    ClinicalResourceVersion.objects.create(patient=patient, version=patient.version, recorded_at=patient.changed_at, body=patient.body)


def _free_mrn(wanted: str, pk: UUID) -> str:
    """The sender's number if nobody here has it, else one of our own."""
    if wanted and not Patient.objects.filter(mrn_index=blind("records.Patient.mrn", wanted)).exists():
        return wanted
    return new_mrn(pk)


def new_mrn(pk: UUID) -> str:
    """A number of our own: 16 letters and digits out of the id's random part."""
    return "T" + base64.b32encode(pk.bytes[-10:]).decode()[:15]


def _add_identifiers(patient: Patient, pairs: Pairs) -> None:
    held = set(patient.identifiers.values_list("system", "value_index"))
    known = {(system, bytes(index)) for system, index in held}
    for system, value in pairs:
        index = blind("records.PatientIdentifier.value", value)
        if not known & {(system, each) for each in index.either}:
            known.add((system, bytes(index)))
            PatientIdentifier.objects.create(pk=uuid7(), patient=patient, system=system, value=value)
