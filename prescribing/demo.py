"""The demonstration's formulary and pharmacies (`DEMO_CLINIC`): made-up places, drugs by their RxNorm ids, none controlled."""

from decimal import Decimal

from prescribing.models import Medication, Pharmacy
from telehealth.core.demo import DemoClinic

CAPSULE, TABLET, MILLILITRE, GRAM, EACH = "C48480", "C48542", "C28254", "C48155", "C64933"
MEDICATIONS = (
    ("308191", "amoxicillin", "500 MG", "Oral Capsule", CAPSULE, "capsule", 90),
    ("308192", "amoxicillin", "500 MG", "Oral Tablet", TABLET, "tablet", 90),
    ("197361", "amlodipine", "5 MG", "Oral Tablet", TABLET, "tablet", 180),
    ("259255", "atorvastatin", "40 MG", "Oral Tablet", TABLET, "tablet", 180),
    ("308460", "azithromycin", "250 MG", "Oral Tablet", TABLET, "tablet", 12),
    ("309114", "cephalexin", "500 MG", "Oral Capsule", CAPSULE, "capsule", 90),
    ("310965", "ibuprofen", "200 MG", "Oral Tablet", TABLET, "tablet", 240),
    ("314076", "lisinopril", "10 MG", "Oral Tablet", TABLET, "tablet", 180),
    ("311372", "loratadine", "10 MG", "Oral Tablet", TABLET, "tablet", 180),
    ("860975", "metformin", "500 MG", "Extended Release Oral Tablet", TABLET, "tablet", 360),
    ("198051", "omeprazole", "20 MG", "Delayed Release Oral Capsule", CAPSULE, "capsule", 180),
    ("312938", "sertraline", "50 MG", "Oral Tablet", TABLET, "tablet", 180),
)
PHARMACIES = (
    ("2200017", "Harbor Street Pharmacy", "12 Harbor Street", "Quincy", "02169", "6175550111"),
    ("2200025", "Elm Square Drugs", "4 Elm Square", "Andover", "01810", "9785550122"),
    ("9900600", "Rehearsal Pharmacy, bad line", "6 Test Lane", "Boston", "02108", "6175550160"),
    ("9900900", "Rehearsal Pharmacy, not on file", "9 Test Lane", "Boston", "02108", "6175550190"),
)


def make(clinic: DemoClinic) -> None:
    """Add them; what is there already stays."""
    for rxcui, name, strength, form, unit, unit_name, most in MEDICATIONS:
        facts = {"name": name, "strength": strength, "form": form, "unit": unit, "unit_name": unit_name}
        Medication.objects.get_or_create(rxcui=rxcui, defaults={**facts, "most_quantity": Decimal(most)})
    for ncpdp_id, name, line, city, postal_code, phone in PHARMACIES:
        facts = {"name": name, "line": line, "city": city, "state": "MA", "postal_code": postal_code, "phone": phone}
        pharmacy, _ = Pharmacy.objects.get_or_create(ncpdp_id=ncpdp_id, defaults=facts)
        clinic.ids.setdefault("pharmacy", pharmacy.pk)
