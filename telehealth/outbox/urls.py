from django.urls import path

from telehealth.outbox import api as faces

api = [
    path("outbox/", faces.MessageList.as_view()),
    path("outbox/<uuid:pk>/send-again/", faces.MessageSendAgain.as_view()),
]
