from django.urls import path

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
]
