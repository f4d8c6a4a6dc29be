"""The outbox by REST: administrators see ids, and send again what was given up."""

from typing import Any

import pytest

from telehealth.accounts.access import Role
from telehealth.outbox import services
from telehealth.outbox.models import Message, State
from tests.outbox.conftest import put

pytestmark = pytest.mark.django_db


def test_what_was_given_up_is_found_and_sent_again(destinations: Any, make_account: Any, client_for: Any) -> None:
    bad, good = put("poison", "bad"), put("good")
    services.deliver_due()
    admin = client_for(make_account(Role.ADMINISTRATOR))
    (row,) = admin.get("/api/v1/outbox/", {"state": "parked"}).json()["results"]
    assert (row["id"], row["reason"], row["destination"]) == (str(bad.pk), "indigestible", "poison")
    assert len(admin.get("/api/v1/outbox/").json()["results"]) == 2
    assert admin.get("/api/v1/outbox/", {"state": "lost"}).status_code == 400

    assert admin.post(f"/api/v1/outbox/{bad.pk}/send-again/").json()["state"] == "pending"
    again = admin.post(f"/api/v1/outbox/{good.pk}/send-again/")
    assert (again.status_code, again.json()["code"]) == (409, "not_parked")
    assert Message.objects.get(pk=bad.pk).state == State.PENDING


def test_nobody_else_sees_the_outbox(destinations: Any, make_account: Any, client_for: Any) -> None:
    message = put("good")
    for role in set(Role) - {Role.ADMINISTRATOR}:
        somebody = client_for(make_account(role))
        assert somebody.get("/api/v1/outbox/").status_code == 404, role
        assert somebody.post(f"/api/v1/outbox/{message.pk}/send-again/").status_code == 404, role
