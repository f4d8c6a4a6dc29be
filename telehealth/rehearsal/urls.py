from django.urls import path

from telehealth.rehearsal import views

dev = [path("outbox", views.outbox, name="dev-outbox")]
