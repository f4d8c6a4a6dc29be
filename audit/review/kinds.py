"""What kinds of data an opening showed, in the words that a notice to the patient needs (45 CFR 164.404(c)(1)(B))."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, str | Promise] = {
    "activity": _("That something was done in the record, without its content"),
    "address": _("Address"),
    "allergies": _("Allergies"),
    "appointments": _("Appointments and their reasons"),
    "birth_date": _("Date of birth"),
    "clinical": _("Other clinical information"),
    "contact": _("Telephone number or e-mail address"),
    "demographics": _("Sex, language and similar facts"),
    "diagnoses": _("Diagnoses"),
    "disclosures": _("To whom health information was disclosed"),
    "identifiers": _("Record numbers and other identifiers"),
    "immunizations": _("Immunizations"),
    "insurance": _("Insurance and claims"),
    "medications": _("Medications and prescriptions"),
    "name": _("Name"),
    "notes": _("Clinical notes"),
    "procedures": _("Procedures"),
    "results": _("Test results and measurements"),
    "visits": _("Visits: where the patient was, and who was there"),
}

PATIENT: dict[str, tuple[str, ...]] = {
    "address": ("address",),
    "birth_date": ("birth_date",),
    "body": ("name", "birth_date", "address", "contact", "demographics", "identifiers"),
    "deceased": ("demographics",),
    "email": ("contact",),
    "family": ("name",),
    "gender": ("demographics",),
    "given": ("name",),
    "language": ("demographics",),
    "mrn": ("identifiers",),
    "phone": ("contact",),
}
MODELS: dict[str, str] = {
    "consults.Note": "notes",
    "consults.Visit": "visits",
    "prescribing.Prescription": "medications",
    "prescribing.ScriptMessage": "medications",
    "records.ClinicalResourceVersion": "clinical",
    "records.Consent": "clinical",
    "records.Destruction": "activity",
    "records.EmergencyAccess": "activity",
    "records.LegalHold": "activity",
    "records.PatientIdentifier": "identifiers",
    "records.StaffRecord": "demographics",
    "review.Affected": "address",
    "review.Disclosure": "disclosures",
    "review.Finding": "activity",
    "scheduling.Appointment": "appointments",
    "scheduling.WaitlistEntry": "appointments",
    "vault.SealedFile": "clinical",
}
RESOURCES: dict[str, str] = {
    "AllergyIntolerance": "allergies",
    "Claim": "insurance",
    "Condition": "diagnoses",
    "Coverage": "insurance",
    "DiagnosticReport": "results",
    "DocumentReference": "notes",
    "ExplanationOfBenefit": "insurance",
    "Immunization": "immunizations",
    "Medication": "medications",
    "MedicationAdministration": "medications",
    "MedicationRequest": "medications",
    "MedicationStatement": "medications",
    "Observation": "results",
    "Procedure": "procedures",
}
RESOURCE = "records.ClinicalResource"


def kinds_of(label: str, fields: Iterable[str], resource_type: str = "") -> set[str]:
    """The kinds that opening these fields of such an object showed; `clinical` for what has no word of its own."""
    if label == "records.Patient":
        return {kind for name in fields for kind in PATIENT.get(name, ("demographics",))}
    if label == RESOURCE:
        return {RESOURCES.get(resource_type, "clinical")}
    return {MODELS.get(label, "clinical")}


def counted(touched: Iterable[Iterable[str]]) -> Mapping[str, int]:
    """Kind → of how many people it was shown."""
    counts: dict[str, int] = {}
    for kinds in touched:
        for kind in kinds:
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))
