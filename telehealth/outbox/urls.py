from django.urls import path

from telehealth.outbox import api as faces

api = [
    path("contact/", faces.Contact.as_view()),
    path("contact/consents/", faces.ContactConsents.as_view()),
    path("sms/inbound/", faces.SmsInbound.as_view()),
    path("outbox/", faces.MessageList.as_view()),
    path("outbox/<uuid:pk>/send-again/", faces.MessageSendAgain.as_view()),
]
