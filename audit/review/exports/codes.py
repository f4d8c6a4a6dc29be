"""The code systems of FHIR R4 AuditEvent and of IHE's Basic Audit Log Patterns (BALP), as far as we write them."""

from typing import Any

from django.utils.functional import Promise

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
REQUEST_ID = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ACCOUNT, ROLE, ACT, KIND = ("urn:telehealth:account", "urn:telehealth:role", "urn:telehealth:act", "urn:telehealth:kind")

CODES: dict[tuple[str, str], str] = {
    (DCM, "110100"): "Application Activity",
    (DCM, "110101"): "Audit Log Used",
    (DCM, "110106"): "Export",
    (DCM, "110113"): "Security Alert",
    (DCM, "110114"): "User Authentication",
    (DCM, "110122"): "Login",
    (DCM, "110123"): "Logout",
    (DCM, "110152"): "Destination Role ID",
    (DCM, "110153"): "Source Role ID",
    (EVENT_TYPE, "rest"): "Restful Operation",
    (INTERACTION, "create"): "create",
    (INTERACTION, "read"): "read",
    (INTERACTION, "search"): "search",
    (INTERACTION, "update"): "update",
    (LIFECYCLE, "disclose"): "Disclose Record Lifecycle Event",
    (ENTITY_TYPE, "1"): "Person",
    (ENTITY_TYPE, "2"): "System Object",
    (ENTITY_ROLE, "1"): "Patient",
    (ENTITY_ROLE, "3"): "Report",
    (ENTITY_ROLE, "4"): "Domain Resource",
    (ENTITY_ROLE, "24"): "Query",
    (PARTICIPATION, "AUT"): "author (originator)",
    (PARTICIPATION, "IRCP"): "information recipient",
    (SOURCE_TYPE, "4"): "Application Server",
}

Json = dict[str, Any]


def coding(system: str, code: str, display: str | Promise = "") -> Json:
    """A Coding, with the display that its system gives it."""
    shown = str(display) or CODES.get((system, code), "")
    return {"system": system, "code": code, **({"display": shown} if shown else {})}


def concept(system: str, code: str, display: str | Promise = "") -> Json:
    """A CodeableConcept of one Coding."""
    return {"coding": [coding(system, code, display)]}
