"""The demonstration's organisation and the entries of its four providers (`DEMO_CLINIC`). All names and numbers are made up."""

from datetime import date

from telehealth.core.demo import DemoClinic
from telehealth.records.importing.reading import NPI_SYSTEM
from telehealth.records.models import License, Organization, Practitioner

SINCE = date(2020, 1, 1)
PROVIDERS = {
    "cho": ("Cho", "Ana", "1999000015", "Family medicine", ["en", "ko"], ("MA", "NH", "RI")),
    "dee": ("Dee", "Ben", "1999000023", "Internal medicine", ["en"], ("MA", "CT", "NY")),
    "eli": ("Eli", "Cleo", "1999000031", "Psychiatry", ["en", "es"], ("MA", "ME", "VT")),
    "fay": ("Fay", "Dan", "1999000049", "Pediatrics", ["en", "pt", "es"], ("MA", "NH", "FL")),
}


def make(clinic: DemoClinic) -> None:
    """Add them; what is there already stays."""
    organization, _ = Organization.objects.get_or_create(identity="telehealth-demo|clinic", defaults={"name": "Harbor Telehealth"})
    clinic.ids["organization"] = organization.pk
    for key, (family, given, npi, specialty, languages, states) in PROVIDERS.items():
        practitioner, _ = Practitioner.objects.get_or_create(
            account_id=clinic.accounts[key],
            defaults={
                "family": family,
                "given": given,
                "npi": npi,
                "npi_valid": True,
                "identity": f"{NPI_SYSTEM}|{npi}",
                "specialty": specialty,
                "timezone": "America/New_York",
                "languages": languages,
                "organization": organization,
            },
        )
        for state in states:
            License.objects.get_or_create(practitioner=practitioner, state=state, valid_from=SINCE)
        clinic.ids[f"practitioner_{key}"] = practitioner.pk
