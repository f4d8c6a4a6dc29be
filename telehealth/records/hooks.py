"""What other floors ask of records by dotted path."""

from audit.ledger import Actor
from telehealth.records.selectors import own_patient_id, practitioner_of


def me_extras(by: Actor) -> dict[str, str | None]:
    """For `ME_EXTRAS`: the ids of the actor's own record and of their entry among the practitioners."""
    patient = own_patient_id(by.id) if by.id else None
    practitioner = practitioner_of(by.id)
    return {"patient": str(patient) if patient else None, "practitioner": str(practitioner.pk) if practitioner else None}
