from django.urls import path

from prescribing import api as faces
from prescribing.inbound import inbound as script_inbound

api = [
    path("medications/", faces.MedicationList.as_view()),
    path("pharmacies/", faces.PharmacyList.as_view()),
    path("prescriptions/", faces.PrescriptionList.as_view()),
    path("prescriptions/<uuid:pk>/", faces.PrescriptionDetail.as_view()),
    path("prescriptions/<uuid:pk>/cancel/", faces.PrescriptionCancel.as_view()),
    path("prescriptions/<uuid:pk>/sign/", faces.PrescriptionSign.as_view()),
]
inbound = [path("script/", script_inbound)]
