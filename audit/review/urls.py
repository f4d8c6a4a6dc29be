from django.urls import path

from audit.review.api import disclosures, incidents
from audit.review.api.accesses import AccessList
from audit.review.api.findings import FindingClose, FindingDetail, FindingList
from audit.review.api.proofs import AccessProofs, ChainStatus, Consistency, EntryProof

api = [
    path("audit/consistency/", Consistency.as_view(), name="audit-consistency"),
    path("audit/entries/<uuid:pk>/proof/", EntryProof.as_view(), name="audit-entry-proof"),
    path("audit/status/", ChainStatus.as_view(), name="audit-status"),
    path("patients/<uuid:pk>/accesses/", AccessList.as_view(), name="patient-accesses"),
    path("patients/<uuid:pk>/accesses/proofs/", AccessProofs.as_view(), name="patient-access-proofs"),
    path("reviews/", FindingList.as_view(), name="findings"),
    path("reviews/<uuid:pk>/", FindingDetail.as_view(), name="finding"),
    path("reviews/<uuid:pk>/close/", FindingClose.as_view(), name="finding-close"),
    path("patients/<uuid:pk>/disclosures/", disclosures.DisclosureList.as_view(), name="patient-disclosures"),
    path("patients/<uuid:pk>/disclosures/exports/", disclosures.DisclosureExport.as_view()),
    path("audit/exports/", incidents.EntryExport.as_view()),
    path("incidents/", incidents.IncidentList.as_view()),
    path("incidents/<uuid:pk>/", incidents.IncidentDetail.as_view()),
    path("incidents/<uuid:pk>/affected/", incidents.AffectedList.as_view()),
    path("incidents/<uuid:pk>/assessment/", incidents.IncidentAssessment.as_view()),
    path("incidents/<uuid:pk>/exports/", incidents.IncidentExport.as_view()),
    path("incidents/<uuid:pk>/notices/", incidents.IncidentNotice.as_view()),
    path("incidents/<uuid:pk>/survey/", incidents.IncidentSurvey.as_view()),
]
