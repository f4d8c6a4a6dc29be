from telehealth.records.models.care import CareRelationship, CareSource, Covering, ProxyGrant, ProxyOffer, ProxyRelationship, ProxyScope
from telehealth.records.models.clinical import ClinicalResource, ClinicalResourceVersion
from telehealth.records.models.consents import Consent, ConsentScope, Recipient
from telehealth.records.models.destruction import Destruction, DestructionReason, HoldReason, LegalHold
from telehealth.records.models.emergency import EMERGENCY_LASTS, EmergencyAccess, EmergencyReason
from telehealth.records.models.people import Patient, PatientIdentifier
from telehealth.records.models.staff import DeaNumber, License, LicenseBasis, LicenseException, Location, Organization, Practitioner
from telehealth.records.models.staff_records import StaffRecord

__all__ = [
    "EMERGENCY_LASTS",
    "CareRelationship",
    "CareSource",
    "ClinicalResource",
    "ClinicalResourceVersion",
    "Consent",
    "ConsentScope",
    "Covering",
    "DeaNumber",
    "Destruction",
    "DestructionReason",
    "EmergencyAccess",
    "EmergencyReason",
    "HoldReason",
    "LegalHold",
    "License",
    "LicenseBasis",
    "LicenseException",
    "Location",
    "Organization",
    "Patient",
    "PatientIdentifier",
    "Practitioner",
    "ProxyGrant",
    "ProxyOffer",
    "ProxyRelationship",
    "ProxyScope",
    "Recipient",
    "StaffRecord",
]
