from django.urls import path

from telehealth.records import api as faces

api = [
    path("imports/", faces.ImportList.as_view()),
    path("patients/", faces.PatientList.as_view()),
    path("patients/search/", faces.PatientSearch.as_view()),
    path("patients/<uuid:pk>/", faces.PatientDetail.as_view()),
    path("patients/<uuid:pk>/resources/", faces.ResourceList.as_view()),
    path("patients/<uuid:pk>/resources/<uuid:resource>/", faces.ResourceDetail.as_view()),
    path("patients/<uuid:pk>/invitations/", faces.InvitationList.as_view()),
    path("practitioners/", faces.PractitionerList.as_view()),
]
