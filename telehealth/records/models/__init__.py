from telehealth.records.models.care import CareRelationship, CareSource, ProxyGrant, ProxyRelationship
from telehealth.records.models.clinical import ClinicalResource, ClinicalResourceVersion
from telehealth.records.models.people import Patient, PatientIdentifier
from telehealth.records.models.staff import License, Location, Organization, Practitioner
from telehealth.records.models.staff_records import StaffRecord

__all__ = [
    "CareRelationship",
    "CareSource",
    "ClinicalResource",
    "ClinicalResourceVersion",
    "License",
    "Location",
    "Organization",
    "Patient",
    "PatientIdentifier",
    "Practitioner",
    "ProxyGrant",
    "ProxyRelationship",
    "StaffRecord",
]
