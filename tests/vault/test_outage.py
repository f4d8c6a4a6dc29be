"""The provider is down: every face says 503 or "later", nothing of a record leaves, and what is in memory goes on."""

import json
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import Retry
from channels.testing import WebsocketCommunicator
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, reverse
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, unit, uuid7
from audit.ledger.models import Entry
from config.celery import app
from consults.protocol.codes import Close
from telehealth.core.command import AuditedCommand
from telehealth.outbox import services as outbox
from telehealth.outbox.models import Message, State
from telehealth.records.models import Patient
from telehealth.records.services import begin_care
from telehealth.vault import keyring, record_keys
from telehealth.vault.errors import VaultUnavailable
from tests.audit import faces
from tests.cast import Cast
from tests.consults.devices import Devices, do
from tests.consults.stage import Stage, appoint
from tests.people import ClientFor
from tests.vault.conftest import forget_all
from tests.vault.transit import FakeTransit

pytestmark = pytest.mark.django_db(transaction=True)
FAMILY = "Quillfeather"


@pytest.fixture
def pia(transit: FakeTransit, cast: Cast) -> UUID:
    """Her record, sealed under the keyring that is wrapped elsewhere."""
    with unit(SYSTEM, channel="task"):
        cast.pia_record.family = FAMILY
        cast.pia_record.save()
        begin_care(patient_id=cast.pia_record.pk, practitioner_id=cast.cho.pk, source="assignment", source_id=uuid7(), by=SYSTEM)
    return cast.pia_record.pk


@pytest.fixture
def outage(transit: FakeTransit, pia: UUID) -> FakeTransit:
    """Nothing in memory, and nobody to ask."""
    forget_all()
    transit.sealed = True
    return transit


def over(outage: FakeTransit) -> None:
    outage.sealed = False
    keyring._line.resting_until = 0.0


@pytest.fixture
def client_for(client_for: ClientFor, transit: FakeTransit) -> ClientFor:
    """Signed in before it all went down: the register of sessions is sealed too."""

    def make(who: Any, **more: Any) -> Any:
        down = transit.sealed
        over(transit)
        signed_in = client_for(who, **more)
        if down:
            forget_all()
            transit.sealed = True
        return signed_in

    return make


def test_rest_says_503_and_when_to_come_back(outage: FakeTransit, pia: UUID, cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.dr_cho)
    reply = client.get(f"/api/v1/patients/{pia}/")
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert (reply.json()["code"], reply["Content-Type"]) == ("vault_unavailable", "application/problem+json")
    assert FAMILY not in reply.content.decode()

    over(outage)
    assert client.get(f"/api/v1/patients/{pia}/").json()["family"] == FAMILY


def test_what_needs_no_key_is_answered_as_ever(outage: FakeTransit, cast: Cast, client_for: ClientFor) -> None:
    assert client_for(cast.dr_cho).get("/api/v1/practitioners/").status_code == 200


def test_a_write_is_refused_and_leaves_nothing(outage: FakeTransit, cast: Cast) -> None:
    before = Patient.objects.count()
    with pytest.raises(VaultUnavailable), unit(SYSTEM, channel="task"), transaction.atomic():
        Patient(mrn="M1", family="New").save()
    assert Patient.objects.count() == before


@pytest.mark.parametrize("fragment", [False, True])
def test_the_portal_shows_its_page_or_an_alert(outage: FakeTransit, pia: UUID, cast: Cast, client_for: ClientFor, fragment: bool) -> None:
    headers = {"accept": "text/html", **({"HX-Request": "true"} if fragment else {})}
    reply = client_for(cast.dr_cho).get(reverse("patient-banner", kwargs={"patient_id": pia}), headers=headers)
    assert reply.status_code == 503
    assert reply.headers["Retry-After"]
    assert FAMILY not in reply.content.decode()
    assert b"cannot answer safely" in reply.content
    assert (reply.headers.get("HX-Retarget") == "#alerts") is fragment


def test_the_admin_says_503_too(outage: FakeTransit, cast: Cast, client_for: ClientFor) -> None:
    page = reverse("admin:accounts_invitation_add")
    administrator = client_for(cast.admin)
    fields = {"address": "new@clinic.example", "role": "nurse", "name": "New"}
    reply = administrator.post(page, fields, format="multipart", headers={"accept": "text/html"})
    assert reply.status_code == 503
    assert reply.headers["Retry-After"]


def swallowing(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A view (or a template's condition) that makes light of it."""
    try:
        family = Patient.objects.get(pk=pk).family
    except VaultUnavailable:
        family = "nobody"
    return HttpResponse(f"Nothing is wrong with {family}")


urlpatterns = [*faces.urlpatterns, path("swallowing/<uuid:pk>", swallowing), path("", include("config.urls"))]


@pytest.mark.parametrize("way", ["read", "swallowing"])
def test_whatever_the_code_makes_of_it_the_reply_is_503(
    outage: FakeTransit, pia: UUID, settings: Settings, cast: Cast, client_for: ClientFor, way: str
) -> None:
    settings.ROOT_URLCONF = "tests.vault.test_outage"
    reply = client_for(cast.dr_cho).get(f"/{way}/{pia}")
    assert (reply.status_code, reply.json()["code"]) == (503, "vault_unavailable")


def test_a_stream_does_not_begin(outage: FakeTransit, pia: UUID, settings: Settings, cast: Cast, client_for: ClientFor) -> None:
    settings.ROOT_URLCONF = "tests.vault.test_outage"
    assert client_for(cast.dr_cho).get(f"/stream/{pia}").status_code == 503


async def test_a_socket_closes_with_1013(transit: FakeTransit) -> None:
    made = await do(Patient.objects.create, mrn="M2", family=FAMILY, given="Ada")
    forget_all()
    transit.sealed = True
    socket = WebsocketCommunicator(faces.Reader.as_asgi(), "/")
    await socket.connect()
    await socket.send_json_to({"patient": str(made.pk)})
    assert await socket.receive_output() == {"type": "websocket.close", "code": 1013}


async def test_the_socket_of_a_visit_closes_with_1013_and_lets_in_later(
    transit: FakeTransit, cast: Cast, valkey: Any, client_for: ClientFor
) -> None:
    stage = Stage(cast, await do(appoint, cast.pia_record, cast.cho))
    room = Devices(stage, (await do(stage.ready)).pk, client_for)
    cho = await room.browser("dr_cho", path="/ws/waiting-room/")
    patient = await room.browser("pia")
    forget_all()
    transit.sealed = True
    await patient.say(type="join")
    assert await patient.closed() == Close.TRY_LATER

    over(transit)
    again = await room.browser("pia")
    await again.say(type="join")
    assert await again.hear("joined", "waiting")
    await cho.drop()
    await room.close()


def test_a_task_is_tried_again(outage: FakeTransit, pia: UUID) -> None:
    @app.task(name="tests.vault.reading")
    def reading(pk: str) -> None:
        faces.family_of(UUID(pk))

    with pytest.raises(Retry) as caught:
        reading.push_request(args=(str(pia),), called_directly=False, is_eager=True)
        reading(str(pia))
    assert "VaultUnavailable" in repr(caught.value.exc)
    assert caught.value.when == VaultUnavailable.retry_after


told: list[str] = []


def to_pia(message: Message) -> None:
    told.append(faces.family_of(message.object_id))


def test_the_outbox_waits_and_the_try_does_not_count(outage: FakeTransit, pia: UUID, settings: Settings) -> None:
    settings.OUTBOX_HANDLERS = {"pia": "tests.vault.test_outage.to_pia"}
    told.clear()
    with unit(SYSTEM, channel="task"), transaction.atomic():
        message = outbox.enqueue(destination="pia", kind="hello", object_id=pia)
    for _ in range(20):  # longer than any patience with a destination
        outbox.deliver_due()
        message.refresh_from_db()
        assert (message.state, message.attempts, message.reason) == (State.PENDING, 0, "vault_unavailable")
        message.due_at = message.created_at
        message.save(update_fields=["due_at"])
    over(outage)
    outbox.deliver_due()
    message.refresh_from_db()
    assert (message.state, told) == (State.DELIVERED, [FAMILY])


class Looking(AuditedCommand):
    def __init__(self, pk: UUID) -> None:
        self.pk = pk
        super().__init__()

    def handle(self, *args: Any, **options: Any) -> None:
        faces.family_of(self.pk)


def test_a_command_says_so_and_ends_as_one_to_repeat(outage: FakeTransit, pia: UUID) -> None:
    with pytest.raises(CommandError, match="vault_unavailable") as caught:
        call_command(Looking(pia))
    assert caught.value.returncode == 75


# What is in memory goes on


def test_records_that_are_in_memory_are_read_through_the_outage(transit: FakeTransit, pia: UUID, cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.dr_cho)
    assert client.get(f"/api/v1/patients/{pia}/").status_code == 200
    transit.sealed = True
    assert client.get(f"/api/v1/patients/{pia}/").json()["family"] == FAMILY
    record_keys.cache.clear()  # a record that this process has not seen: its key-encryption key is still there
    assert client.get(f"/api/v1/patients/{pia}/").json()["family"] == FAMILY
    forget_all()  # five minutes later
    assert client.get(f"/api/v1/patients/{pia}/").status_code == 503


def test_an_opening_that_failed_is_on_record_as_tried(outage: FakeTransit, pia: UUID, cast: Cast, client_for: ClientFor) -> None:
    """Better one entry too many: who asked for the record is known, though nothing of it was shown."""
    since = uuid7()
    client_for(cast.dr_cho).get(f"/api/v1/patients/{pia}/")
    entry = Entry.objects.get(id__gt=since, act=Act.RECORD_OPENED, record_id=pia)
    assert FAMILY not in json.dumps(entry.detail)


def test_readiness_degrades_and_does_not_fail(outage: FakeTransit, client: Any) -> None:
    """A process is of use still: what is in memory goes on, and another would be no better off."""
    reply = client.get("/readyz", secure=True)
    assert (reply.status_code, reply.json()["vault"]) == (200, False)
    assert reply.json()["status"] == "degraded"
    over(outage)
    assert client.get("/readyz", secure=True).json()["vault"] is True
