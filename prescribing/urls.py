from django.urls import path

from prescribing import api as faces
from prescribing import portal as pages
from prescribing.inbound import inbound as script_inbound

api = [
    path("medications/", faces.MedicationList.as_view()),
    path("pharmacies/", faces.PharmacyList.as_view()),
    path("prescriptions/", faces.PrescriptionList.as_view()),
    path("prescriptions/<uuid:pk>/", faces.PrescriptionDetail.as_view()),
    path("prescriptions/<uuid:pk>/cancel/", faces.PrescriptionCancel.as_view()),
    path("prescriptions/<uuid:pk>/sign/", faces.PrescriptionSign.as_view()),
]
portal = [
    path("visits/<uuid:visit_id>/prescriptions/", pages.VisitPrescriptions.as_view(), name="visit-prescriptions"),
    path("prescriptions/<uuid:prescription_id>/sign/", pages.SignPrescription.as_view(), name="prescription-sign"),
    path("prescriptions/<uuid:prescription_id>/status/", pages.PrescriptionStatus.as_view(), name="prescription-status"),
]

inbound = [path("script/", script_inbound)]
