from django.urls import path

from consults import api as faces
from consults import consumers

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

sockets = [
    path("ws/visits/<uuid:visit_id>/", consumers.VisitSocket.as_asgi()),
    path("ws/waiting-room/", consumers.QueueSocket.as_asgi()),
]
