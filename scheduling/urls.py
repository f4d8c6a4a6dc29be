from django.urls import path

from scheduling import api as faces

api = [
    path("visit-types/", faces.VisitTypeList.as_view()),
    path("slots/", faces.SlotList.as_view()),
    path("appointments/", faces.AppointmentList.as_view()),
    path("appointments/<uuid:pk>/", faces.AppointmentOne.as_view()),
    path("appointments/<uuid:pk>/cancel/", faces.AppointmentCancel.as_view()),
]
