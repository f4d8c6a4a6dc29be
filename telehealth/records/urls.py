from django.urls import path

from telehealth.records import api as faces
from telehealth.records.portal import banner, desk, emergency, importing, staff

api = [
    path("imports/", faces.ImportList.as_view()),
    path("patients/", faces.PatientList.as_view()),
    path("patients/search/", faces.PatientSearch.as_view()),
    path("patients/<uuid:pk>/", faces.PatientDetail.as_view()),
    path("patients/<uuid:pk>/resources/", faces.ResourceList.as_view()),
    path("patients/<uuid:pk>/resources/<uuid:resource>/", faces.ResourceDetail.as_view()),
    path("patients/<uuid:pk>/invitations/", faces.InvitationList.as_view()),
    path("patients/locate/", faces.PatientLocate.as_view()),
    path("patients/<uuid:pk>/consents/", faces.ConsentList.as_view()),
    path("consents/<uuid:pk>/withdraw/", faces.ConsentWithdraw.as_view()),
    path("emergency-accesses/", faces.EmergencyList.as_view()),
    path("emergency-accesses/<uuid:pk>/", faces.EmergencyDetail.as_view()),
    path("emergency-accesses/<uuid:pk>/end/", faces.EmergencyEnd.as_view()),
    path("patients/<uuid:pk>/staff-records/", faces.StaffRecordList.as_view()),
    path("staff-records/<uuid:pk>/", faces.StaffRecordEnd.as_view()),
    path("practitioners/", faces.PractitionerList.as_view()),
]

portal = [
    path("records/import/", importing.Import.as_view(), name="import"),
    path("emergency/", emergency.Locate.as_view(), name="emergency"),
    path("emergency/<uuid:patient_id>/", emergency.Declare.as_view(), name="emergency-declare"),
    path("emergency/<uuid:patient_id>/record/", emergency.Record.as_view(), name="emergency-record"),
    path("emergency/<uuid:emergency_id>/end/", emergency.End.as_view(), name="emergency-end"),
    path("desk/", desk.Desk.as_view(), name="desk"),
    path("desk/patients/<uuid:patient_id>/", desk.DeskPatient.as_view(), name="desk-patient"),
    path("desk/patients/<uuid:patient_id>/invite/", desk.Invite.as_view(), name="desk-invite"),
    path("desk/patients/<uuid:patient_id>/staff/", staff.StaffLinks.as_view(), name="desk-staff"),
    path("patients/<uuid:patient_id>/banner/", banner.PatientBanner.as_view(), name="patient-banner"),
]
