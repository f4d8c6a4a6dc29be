"""The way of a prescription, as a table."""

import pytest

from prescribing.machine import Event, Status, after


def test_the_usual_way() -> None:
    status = Status.DRAFT
    for event in (Event.SIGN, Event.TAKEN, Event.ACCEPTED):
        status = after(status, event) or pytest.fail(f"{event} is not possible in {status}")
    assert status is Status.DELIVERED


def test_nothing_is_signed_twice_or_discarded_after_signing() -> None:
    signed = [status for status in Status if status is not Status.DRAFT]
    assert [after(status, event) for status in signed for event in (Event.SIGN, Event.DISCARD)] == [None] * 2 * len(signed)


def test_a_draft_hears_nothing_from_the_network() -> None:
    deaf = (Status.DRAFT, Status.CANCELLED)
    assert {after(status, event) for status in deaf for event in (Event.TAKEN, Event.ACCEPTED, Event.FAILED)} == {None}


def test_what_the_pharmacy_took_stays_taken_whatever_order_the_answers_come_in() -> None:
    for order in ((Event.TAKEN, Event.ACCEPTED), (Event.ACCEPTED, Event.TAKEN), (Event.FAILED, Event.ACCEPTED)):
        status: Status | None = Status.QUEUED
        for event in order:
            assert status
            status = after(status, event)
        assert status is Status.DELIVERED, order


def test_no_signed_prescription_becomes_a_draft_again() -> None:
    sent = (Status.QUEUED, Status.SENT, Status.DELIVERED, Status.ERROR)
    assert {after(status, event) for status in sent for event in Event} <= {*sent, None}
