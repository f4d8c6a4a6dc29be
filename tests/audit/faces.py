"""Small faces of the tests' own over real health data: a page, a write, a stream, a socket, a task."""

from collections.abc import Iterator
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import Context, Template
from django.urls import path

import config.urls
from audit.ledger import SYSTEM, Act, NoContext, current, record, refuse
from telehealth.core.consumer import Consumer
from telehealth.records.models import ClinicalResource, Patient


def read(request: HttpRequest, pk: UUID) -> HttpResponse:
    return HttpResponse(Patient.objects.get(pk=pk).family)


def write(request: HttpRequest, pk: UUID) -> HttpResponse:
    with transaction.atomic():
        patient = Patient.objects.get(pk=pk)
        patient.given = "changed"
        patient.save()
        record(SYSTEM, Act.OBJECT_ACCESSED, patient, reason="written")
        return HttpResponse(patient.family)


def roll_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    with transaction.atomic():
        patient = Patient.objects.get(pk=pk)
        record(SYSTEM, Act.OBJECT_ACCESSED, patient, reason="rolled_back")
        refuse(current().actor, "test_refusal", record_id=pk)
        seen = patient.family
        transaction.set_rollback(True)
    return HttpResponse(seen)


def fail_to_commit(request: HttpRequest, pk: UUID) -> HttpResponse:
    with transaction.atomic():
        seen = Patient.objects.get(pk=pk).family
        ClinicalResource.objects.bulk_create([ClinicalResource(patient_id=uuid4(), type="X", body="{}", body_key=b"k")])
    return HttpResponse(seen)


def stream(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        yield Patient.objects.get(pk=pk).family.encode()
        yield b"|"
        yield Patient.objects.get(pk=pk).given.encode()

    return StreamingHttpResponse(chunks())


def swallow(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A view that makes light of a failing entry."""
    try:
        with transaction.atomic():
            record(SYSTEM, Act.OBJECT_ACCESSED, reason="swallowed")
    except DatabaseError:
        pass
    return HttpResponse("as if nothing were wrong")


def in_a_thread(request: HttpRequest, pk: UUID) -> HttpResponse:
    patient, seen = Patient.objects.get(pk=pk), []

    def look() -> None:
        try:
            seen.append(patient.family)
        except NoContext:
            seen.append("no context")

    thread = Thread(target=look)
    thread.start()
    thread.join()
    return HttpResponse(seen[0])


class NameForm(forms.Form):
    family = forms.CharField()


def form(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A form that shows what is kept."""
    shown = NameForm(initial={"family": Patient.objects.get(pk=pk).family})
    return HttpResponse(Template("{{ form }}").render(Context({"form": shown})))


def export(request: HttpRequest) -> StreamingHttpResponse:
    """All patients, a line each."""
    lines = (f"{patient.pk},{patient.family}\n".encode() for patient in Patient.objects.order_by("id").iterator())
    return StreamingHttpResponse(lines, content_type="text/csv")


class Names(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("pk", "family")

    def has_view_permission(self, request: HttpRequest, obj: Patient | None = None) -> bool:
        return True


class Anybody(admin.AdminSite):
    """An admin with a list of names, for whoever comes."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


people = Anybody(name="people")
people.register(Patient, Names)


urlpatterns = [
    path("form/<uuid:pk>", form),
    path("export", export),
    path("people/", people.urls),
    path("read/<uuid:pk>", read),
    path("write/<uuid:pk>", write),
    path("roll-back/<uuid:pk>", roll_back),
    path("fail-to-commit/<uuid:pk>", fail_to_commit),
    path("stream/<uuid:pk>", stream),
    path("swallow/<uuid:pk>", swallow),
    path("in-a-thread/<uuid:pk>", in_a_thread),
    *config.urls.urlpatterns,  # which the admin's frame leads to
]


class Reader(Consumer):
    async def on_json(self, content: dict[str, Any]) -> None:
        await self.say({"family": await self.ask(family_of, UUID(content["patient"]))})


def family_of(pk: UUID) -> str:
    return Patient.objects.get(pk=pk).family
