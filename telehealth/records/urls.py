from django.urls import path

from telehealth.records.api import care, consents, contact, emergency, licenses, patients
from telehealth.records.portal import banner, desk, importing, staff
from telehealth.records.portal import consents as consent_pages
from telehealth.records.portal import emergency as emergency_pages

api = [
    path("imports/", patients.ImportList.as_view()),
    path("patients/", patients.PatientList.as_view()),
    path("patients/search/", patients.PatientSearch.as_view()),
    path("patients/<uuid:pk>/", patients.PatientDetail.as_view()),
    path("patients/<uuid:pk>/resources/", patients.ResourceList.as_view()),
    path("patients/<uuid:pk>/resources/<uuid:resource>/", patients.ResourceDetail.as_view()),
    path("patients/<uuid:pk>/billing/", patients.BillingList.as_view()),
    path("patients/<uuid:pk>/invitations/", patients.InvitationList.as_view()),
    path("patients/locate/", emergency.PatientLocate.as_view()),
    path("patients/<uuid:pk>/contact/", contact.PatientContact.as_view()),
    path("patients/<uuid:pk>/contact/consents/", contact.PatientContactConsents.as_view()),
    path("patients/<uuid:pk>/consents/", consents.ConsentList.as_view()),
    path("consents/<uuid:pk>/withdraw/", consents.ConsentWithdraw.as_view()),
    path("emergency-accesses/", emergency.EmergencyList.as_view()),
    path("emergency-accesses/<uuid:pk>/", emergency.EmergencyDetail.as_view()),
    path("emergency-accesses/<uuid:pk>/end/", emergency.EmergencyEnd.as_view()),
    path("patients/<uuid:pk>/staff-records/", patients.StaffRecordList.as_view()),
    path("staff-records/<uuid:pk>/", patients.StaffRecordEnd.as_view()),
    path("patients/<uuid:pk>/care/", care.CareList.as_view()),
    path("care-relationships/<uuid:pk>/", care.CareEnd.as_view()),
    path("practitioners/<uuid:pk>/covering/", care.CoveringList.as_view()),
    path("coverings/<uuid:pk>/", care.CoveringEnd.as_view()),
    path("practitioners/<uuid:pk>/hand-over/", care.HandOver.as_view()),
    path("patients/<uuid:pk>/proxies/", care.ProxyList.as_view()),
    path("proxies/<uuid:pk>/", care.ProxyEnd.as_view()),
    path("practitioners/", patients.PractitionerList.as_view()),
    path("licenses/", licenses.LicenseList.as_view()),
    path("license-exceptions/", licenses.LicenseExceptionList.as_view()),
]

portal = [
    path("records/import/", importing.Import.as_view(), name="import"),
    path("emergency/", emergency_pages.Locate.as_view(), name="emergency"),
    path("emergency/<uuid:patient_id>/", emergency_pages.Declare.as_view(), name="emergency-declare"),
    path("emergency/<uuid:patient_id>/record/", emergency_pages.Record.as_view(), name="emergency-record"),
    path("emergency/<uuid:emergency_id>/end/", emergency_pages.End.as_view(), name="emergency-end"),
    path("desk/", desk.Desk.as_view(), name="desk"),
    path("desk/patients/<uuid:patient_id>/", desk.DeskPatient.as_view(), name="desk-patient"),
    path("desk/patients/<uuid:patient_id>/invite/", desk.Invite.as_view(), name="desk-invite"),
    path("desk/patients/<uuid:patient_id>/staff/", staff.StaffLinks.as_view(), name="desk-staff"),
    path("sharing/", consent_pages.Sharing.as_view(), name="sharing"),
    path("patients/<uuid:patient_id>/consents/", consent_pages.Consents.as_view(), name="consents"),
    path("patients/<uuid:patient_id>/consents/<uuid:consent_id>/withdraw/", consent_pages.Withdraw.as_view(), name="consent-withdraw"),
    path("patients/<uuid:patient_id>/banner/", banner.PatientBanner.as_view(), name="patient-banner"),
]
