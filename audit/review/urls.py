from django.urls import path

from audit.review.api.accesses import AccessList

api = [path("patients/<uuid:pk>/accesses/", AccessList.as_view(), name="patient-accesses")]
