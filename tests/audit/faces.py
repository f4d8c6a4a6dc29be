"""Small faces of the tests' own over real health data: a page, a write, a stream, a socket, a task."""

from collections.abc import Iterator
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

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


urlpatterns = [
    path("read/<uuid:pk>", read),
    path("write/<uuid:pk>", write),
    path("roll-back/<uuid:pk>", roll_back),
    path("fail-to-commit/<uuid:pk>", fail_to_commit),
    path("stream/<uuid:pk>", stream),
    path("swallow/<uuid:pk>", swallow),
    path("in-a-thread/<uuid:pk>", in_a_thread),
]


class Reader(Consumer):
    async def on_json(self, content: dict[str, Any]) -> None:
        await self.say({"family": await self.ask(family_of, UUID(content["patient"]))})


def family_of(pk: UUID) -> str:
    return Patient.objects.get(pk=pk).family
