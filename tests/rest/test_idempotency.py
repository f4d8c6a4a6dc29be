"""A key makes a creation happen once; the table keeps hashes and nothing of what was asked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction

from telehealth.core import now
from telehealth.rest.idempotency import KEPT, Claim, _digest, earlier, forget_old
from telehealth.rest.models import IdempotencyKey
from telehealth.rest.models import IdempotencyKey as Thing
from tests.rest.conftest import Ask
from tests.rest.world import NED, PIA, SECRET

KEY = "3f0c2b7e-key"
BODY = {"number": 200, "comment": SECRET}


def things() -> int:
    return Thing.objects.exclude(actor__in=[PIA, NED]).count()


def test_a_repeat_finds_what_the_first_one_made(ask: Ask) -> None:
    first = ask("post", "things/", BODY, Idempotency_Key=KEY)
    again = ask("post", "things/", dict(reversed(BODY.items())), Idempotency_Key=KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert things() == 1


def test_a_repeat_shows_the_present_state(ask: Ask) -> None:
    made = ask("post", "things/", BODY, Idempotency_Key=KEY).json()
    Thing.objects.filter(pk=made["id"]).update(status=300)

    assert ask("post", "things/", BODY, Idempotency_Key=KEY).json() == made | {"number": 300}


def test_without_a_key_every_request_creates(ask: Ask) -> None:
    assert ask("post", "things/", BODY).json() != ask("post", "things/", BODY).json()
    assert things() == 2


def test_another_request_under_the_same_key_is_a_conflict(ask: Ask) -> None:
    ask("post", "things/", BODY, Idempotency_Key=KEY)

    for path, body in (("things/", BODY | {"number": 201}), ("taken/", BODY), ("things/?a=b", BODY)):
        reply = ask("post", path, body, Idempotency_Key=KEY)
        assert (reply.status_code, reply.json()["code"]) == (409, "idempotency_key_reused")
    assert things() == 1


def test_keys_are_each_persons_own(ask: Ask) -> None:
    mine = ask("post", "things/", BODY, Idempotency_Key=KEY).json()

    assert ask("post", "things/", BODY, Idempotency_Key=KEY, actor=NED).json()["id"] != mine["id"]


def test_a_failed_creation_leaves_neither_key_nor_thing(ask: Ask) -> None:
    for _attempt in range(2):
        assert ask("post", "taken/", BODY, Idempotency_Key=KEY).json()["code"] == "thing_taken"

    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9", "a\tb"])
def test_a_key_that_is_no_key_is_a_400(ask: Ask, key: str) -> None:
    reply = ask("post", "things/", BODY, Idempotency_Key=key)

    assert (reply.status_code, reply.json()["code"]) == (400, "idempotency_key_invalid")


def test_a_repeat_that_may_no_longer_see_it_finds_nothing(ask: Ask) -> None:
    made = ask("post", "things/", BODY, Idempotency_Key=KEY).json()
    Thing.objects.filter(pk=made["id"]).delete()

    assert ask("post", "things/", BODY, Idempotency_Key=KEY).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_repeat_while_the_first_is_still_worked_on_is_a_conflict(ask: Ask) -> None:
    claim = Claim(PIA, _digest(f"{PIA} {KEY}", b"key"), b"")
    locked, seen = Event(), Event()

    def first() -> None:
        with transaction.atomic():
            assert earlier(claim) is None
            locked.set()
            assert seen.wait(10)
        connection.close()

    with ThreadPoolExecutor() as pool:
        work = pool.submit(first)
        assert locked.wait(10)
        reply = ask("post", "things/", BODY, Idempotency_Key=KEY)
        seen.set()
        work.result()

    assert (reply.status_code, reply.json()["code"]) == (409, "idempotency_key_in_flight")
    assert ask("post", "things/", BODY, Idempotency_Key=KEY).status_code == 201


def test_the_table_tells_nothing_of_key_or_body(ask: Ask) -> None:
    ask("post", "things/", BODY, Idempotency_Key=KEY)

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text, status, object_id FROM rest_idempotencykey k WHERE actor = %s", [PIA])
        (text, status, object_id) = cursor.fetchone()
    assert status == 201 and Thing.objects.filter(pk=object_id).exists()
    assert KEY not in text and SECRET not in text


def test_keys_are_forgotten_after_a_day(ask: Ask) -> None:
    ask("post", "things/", BODY, Idempotency_Key=KEY)
    assert forget_old() == 0

    IdempotencyKey.objects.update(created_at=now() - KEPT - timedelta(seconds=1))
    assert forget_old() == 2
