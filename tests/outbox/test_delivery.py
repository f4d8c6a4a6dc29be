"""At least once, in order, with patience, and parked with a reason: the outbox's promises (C10)."""

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, Actor, uuid7
from telehealth.accounts.access import Role
from telehealth.core.errors import Missing, Refused
from telehealth.outbox import selectors, services
from telehealth.outbox.errors import NotParked
from telehealth.outbox.models import Message, State
from tests.outbox.conftest import put, time_passes, wait_of

Told = list[tuple[str, str, str]]
ADMIN = Actor(id=uuid7(), role=Role.ADMINISTRATOR)
pytestmark = pytest.mark.django_db


def test_a_message_leaves_once_and_is_settled(destinations: Told) -> None:
    message = put("good")
    assert services.deliver_due() == 1
    assert services.deliver_due() == 0
    message.refresh_from_db()
    assert (message.state, message.attempts, message.delivered_at is not None) == (State.DELIVERED, 1, True)
    assert destinations == [("good", "hello", message.key)]


def test_nothing_is_promised_outside_a_transaction_or_to_nobody(destinations: Told) -> None:
    with pytest.raises(LookupError):
        put("unheard_of")
    with pytest.raises(LookupError):
        put("good", kind="Dear Mrs Moss")
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_message_shares_the_fate_of_its_cause(destinations: Told) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        services.enqueue(destination="good", kind="hello", object_id=uuid7())
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        services.enqueue(destination="good", kind="hello", object_id=uuid7())
        raise ZeroDivisionError
    assert services.deliver_due() == 0


def test_a_known_key_adds_nothing(destinations: Told) -> None:
    assert put("good", key="k") == put("good", key="k")
    services.deliver_due()
    assert len(destinations) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(destination="good", kind="hello", object_id=uuid7(), key="k")


def test_retries_wait_longer_and_longer_then_it_is_parked_with_the_reason(destinations: Told) -> None:
    message = put("busy")
    waits = []
    for _ in range(4):
        services.deliver_due()
        waits.append(wait_of(message))
        assert services.deliver_due() == 0, "not before its time"
        time_passes(waits[-1] + 1)
    assert waits == [60, 300, 900, 3600]
    services.deliver_due()
    message.refresh_from_db()
    assert (message.state, message.reason, message.attempts) == (State.PARKED, "line_busy", 5)
    assert {key for _, _, key in destinations} == {message.key}, "one key through all tries"


def test_a_handler_that_breaks_leaves_it_pending_and_says_no_more_than_its_type(
    destinations: Told, caplog: pytest.LogCaptureFixture
) -> None:
    message = put("broken")
    services.deliver_due()
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.PENDING, "handler_failed")
    assert "ZeroDivisionError" in caplog.text
    assert "Moss" not in caplog.text


def test_a_poison_message_parks_and_holds_up_nobody(destinations: Told) -> None:
    bad, after = put("poison", "bad", "a"), put("poison", "fine", "a")
    other = put("good")
    services.deliver_due()
    states = [Message.objects.get(pk=message.pk).state for message in (bad, after, other)]
    assert states == [State.PARKED, State.DELIVERED, State.DELIVERED]
    assert ("parked", "bad", bad.key) in destinations


def test_a_destination_that_is_down_costs_one_try_a_round(destinations: Told) -> None:
    for _ in range(5):
        put("busy")
    good = put("good")
    services.deliver_due()
    assert [destination for destination, _, _ in destinations] == ["busy", "good"]
    good.refresh_from_db()
    assert good.state == State.DELIVERED


def test_order_is_kept_within_a_key_also_across_retries(destinations: Told, settings: Settings) -> None:
    settings.OUTBOX_HANDLERS = settings.OUTBOX_HANDLERS | {"good": settings.OUTBOX_HANDLERS["busy"]}
    first, second, free = put("good", "first", "p"), put("good", "second", "p"), put("good", "free", "q")
    services.deliver_due()
    assert [kind for _, kind, _ in destinations] == ["first"]
    services.deliver_due()
    assert [kind for _, kind, _ in destinations] == ["first", "free"], "the second waits for the first, the other key does not"
    settings.OUTBOX_HANDLERS = settings.OUTBOX_HANDLERS | {"good": "tests.outbox.handlers.good"}
    time_passes(3600)
    services.deliver_due()
    assert [kind for _, kind, _ in destinations[2:] if kind != "free"] == ["first", "second"]
    assert first.position < second.position < free.position


def test_whom_nobody_can_reach_is_skipped_with_the_reason(destinations: Told) -> None:
    message = put("nobody")
    services.deliver_due()
    message.refresh_from_db()
    assert (message.state, message.reason, message.delivered_at) == (State.SKIPPED, "no_phone", None)


def test_a_message_that_kills_its_workers_is_parked(destinations: Told, settings: Settings) -> None:
    message = put("good")
    message.attempts = 5  # five leases, and nobody lived to say what came of it
    message.save(update_fields=["attempts"])
    services.deliver_due()
    message.refresh_from_db()
    assert (message.state, message.reason, destinations) == (State.PARKED, "worker_lost", [])


def test_who_lost_the_lease_does_not_settle(destinations: Told, settings: Settings) -> None:
    """A slow worker comes back after its lease ended and the message was taken by another."""
    settings.OUTBOX_HANDLERS = {"slow": "tests.outbox.test_delivery.slow"}
    message = put("slow")
    services.deliver_due()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.PENDING, 2)


def slow(message: Message) -> None:
    other = Message.objects.get(pk=message.pk)
    other.attempts += 1
    other.save(update_fields=["attempts"])


def test_a_parked_message_can_be_sent_again_by_an_administrator_alone(destinations: Told) -> None:
    message = put("poison", "bad")
    services.deliver_due()
    for role in set(Role) - {Role.ADMINISTRATOR}:
        with pytest.raises(Refused):
            services.send_again(message_id=message.pk, by=Actor(id=uuid7(), role=role))
        assert not selectors.messages_for(Actor(id=uuid7(), role=role)).exists()
    assert list(selectors.messages_for(ADMIN)) == [message]

    services.send_again(message_id=message.pk, by=ADMIN)
    with pytest.raises(NotParked):
        services.send_again(message_id=message.pk, by=ADMIN)
    with pytest.raises(Missing):
        services.send_again(message_id=uuid7(), by=ADMIN)
    services.deliver_due()
    assert [key for destination, _, key in destinations if destination == "poison"] == [message.key] * 2


def test_a_delivered_message_has_its_time(destinations: Told) -> None:
    message = put("good")
    message.state = State.DELIVERED
    with pytest.raises(DatabaseError, match="outbox_message_delivered_has_its_time"), transaction.atomic():
        message.save()
    with pytest.raises(DatabaseError, match="outbox_message_one_place_each"), transaction.atomic():
        Message.objects.create(destination="good", kind="x", object_id=uuid7(), key="other", position=message.position)


def test_what_is_long_over_is_forgotten_and_what_was_given_up_is_not(destinations: Told) -> None:
    bad, old, fresh = put("poison", "bad"), put("good"), put("good")
    services.deliver_due()
    Message.objects.filter(pk__in=[bad.pk, old.pk]).update(created_at="2026-01-01T00:00Z")
    assert services.forget_settled(by=SYSTEM) == 1
    assert set(Message.objects.all()) == {bad, fresh}


def test_what_became_of_it_is_on_record(destinations: Told) -> None:
    bad, good = put("poison", "bad"), put("good")
    services.deliver_due()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT act, object_pk, reason FROM audit_entry WHERE object_pk = ANY(%s)", [[str(bad.pk), str(good.pk)]])
        found = set(cursor.fetchall())
    assert found == {(Act.OUTBOX_PARKED, str(bad.pk), "indigestible"), (Act.OUTBOX_DELIVERED, str(good.pk), "outbox.hello")}
