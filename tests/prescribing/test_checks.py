"""Orders that may be written, and the faults of those that may not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from prescribing.checks import Order, faults, plain

GOOD = Order(sig="Take one capsule three times daily", note="", quantity=Decimal(21), days_supply=7, refills=0, substitution=True)


def test_a_good_order_has_no_fault() -> None:
    assert faults(GOOD, most=Decimal(90)) == []
    assert faults(replace(GOOD, days_supply=30, refills=11), most=Decimal(90)) == []
    assert faults(replace(GOOD, sig="One now\nthen one daily", quantity=Decimal("0.5")), most=Decimal(90)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"sig": "  "}, ("sig", "blank")),
        ({"sig": "x" * 1001}, ("sig", "too_long")),
        ({"sig": "Take one\x00"}, ("sig", "control_character")),
        ({"note": "x" * 211}, ("note", "too_long")),
        ({"quantity": Decimal(0)}, ("quantity", "not_positive")),
        ({"quantity": Decimal("NaN")}, ("quantity", "not_positive")),
        ({"quantity": Decimal("Infinity")}, ("quantity", "not_positive")),
        ({"quantity": Decimal(91)}, ("quantity", "too_large")),
        ({"quantity": Decimal("1.0001")}, ("quantity", "too_fine")),
        ({"days_supply": 0}, ("days_supply", "out_of_range")),
        ({"days_supply": 366}, ("days_supply", "out_of_range")),
        ({"refills": -1}, ("refills", "out_of_range")),
        ({"refills": 12}, ("refills", "out_of_range")),
        ({"days_supply": 90, "refills": 4}, ("refills", "beyond_a_year")),
    ],
)
def test_each_fault_is_named(change: dict[str, object], fault: tuple[str, str]) -> None:
    assert faults(replace(GOOD, **change), most=Decimal(90)) == [fault]  # type: ignore[arg-type]


def test_every_fault_is_named_at_once() -> None:
    worst = replace(GOOD, sig="", quantity=Decimal(-1), days_supply=0, refills=99)
    assert {field for field, _ in faults(worst, most=Decimal(90))} == {"sig", "quantity", "days_supply", "refills"}


@pytest.mark.parametrize(("quantity", "text"), [("21.000", "21"), ("0.500", "0.5"), ("100", "100"), ("1E+2", "100"), ("30.25", "30.25")])
def test_a_quantity_is_written_plainly(quantity: str, text: str) -> None:
    assert plain(Decimal(quantity)) == text
