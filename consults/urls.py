from django.urls import path

from consults import api as faces
from consults import consumers
from consults.portal import notes, phone, today, visit

api = [
    path("visits/", faces.VisitList.as_view()),
    path("visits/<uuid:pk>/", faces.VisitDetail.as_view()),
    path("visits/<uuid:pk>/check-in/", faces.CheckIn.as_view()),
    path("visits/<uuid:pk>/admit/", faces.Admit.as_view()),
    path("visits/<uuid:pk>/hold/", faces.Hold.as_view()),
    path("visits/<uuid:pk>/remove/", faces.Remove.as_view()),
    path("visits/<uuid:pk>/complete/", faces.Complete.as_view()),
    path("visits/<uuid:pk>/leave/", faces.Leave.as_view()),
    path("visits/<uuid:pk>/tickets/", faces.Tickets.as_view()),
    path("visits/<uuid:pk>/notes/", faces.NoteList.as_view()),
    path("visits/<uuid:pk>/summary/", faces.SummaryFace.as_view()),
    path("waiting-room/", faces.WaitingRoom.as_view()),
    path("notes/<uuid:pk>/", faces.NoteDetail.as_view()),
    path("notes/<uuid:pk>/sign/", faces.NoteSign.as_view()),
    path("notes/<uuid:pk>/addenda/", faces.NoteAddenda.as_view()),
]

portal = [
    path("today/", today.Today.as_view(), name="today"),
    path("today/list/", today.TodayList.as_view(), name="today-list"),
    path("today/visits/<uuid:visit_id>/", today.TodayRow.as_view(), name="today-row"),
    path("visits/<uuid:visit_id>/", visit.VisitPage.as_view(), name="visit"),
    path("visits/<uuid:visit_id>/admit/", today.Admit.as_view(), name="visit-admit"),
    path("visits/<uuid:visit_id>/complete/", visit.Complete.as_view(), name="visit-complete"),
    path("visits/<uuid:visit_id>/finish/", visit.Finish.as_view(), name="visit-finish"),
    path("visits/<uuid:visit_id>/hold/", today.Hold.as_view(), name="visit-hold"),
    path("visits/<uuid:visit_id>/lobby/", visit.Lobby.as_view(), name="visit-lobby"),
    path("visits/<uuid:visit_id>/note/", notes.VisitNote.as_view(), name="visit-note"),
    path("visits/<uuid:visit_id>/note/sign/", notes.SignNote.as_view(), name="visit-note-sign"),
    path("visits/<uuid:visit_id>/waiting/", today.VisitWaiting.as_view(), name="visit-waiting"),
    path("dev/patient/", phone.PhoneHome.as_view(), name="phone"),
    path("dev/patient/appointments/<uuid:appointment_id>/", phone.PhoneVisit.as_view(), name="phone-visit"),
]

sockets = [
    path("ws/visits/<uuid:visit_id>/", consumers.VisitSocket.as_asgi()),
    path("ws/waiting-room/", consumers.QueueSocket.as_asgi()),
]
