from django.urls import path

from scheduling import api as faces
from scheduling import portal as pages

api = [
    path("visit-types/", faces.VisitTypeList.as_view()),
    path("slots/", faces.SlotList.as_view()),
    path("appointments/", faces.AppointmentList.as_view()),
    path("appointments/<uuid:pk>/", faces.AppointmentOne.as_view()),
    path("appointments/<uuid:pk>/cancel/", faces.AppointmentCancel.as_view()),
    path("appointments/<uuid:pk>/confirm/", faces.AppointmentConfirm.as_view()),
    path("appointments/<uuid:pk>/release/", faces.AppointmentRelease.as_view()),
    path("appointments/<uuid:pk>/reschedule/", faces.AppointmentReschedule.as_view()),
]

portal = [
    path("patients/<uuid:patient_id>/booking/", pages.Booking.as_view(), name="booking"),
]
