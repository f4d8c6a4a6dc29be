"""What must be true of an order before it can be written, as pure functions over values."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

LONGEST_SIG, LONGEST_NOTE = 1000, 210
MOST_REFILLS = 11
LONGEST_SUPPLY_DAYS = 365
YEAR_DAYS = 366
MOST_QUANTITY = Decimal(100_000)
DECIMALS = 3


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the prescriber asks for."""

    sig: str
    note: str
    quantity: Decimal
    days_supply: int
    refills: int
    substitution: bool


def faults(order: Order, *, most: Decimal) -> list[tuple[str, str]]:
    """Every (field, code) that is wrong; `most` is the largest quantity the formulary lets go in one fill."""
    return [*_text_faults("sig", order.sig, 1, LONGEST_SIG), *_text_faults("note", order.note, 0, LONGEST_NOTE), *_amounts(order, most)]


def _text_faults(field: str, text: str, least: int, longest: int) -> Iterator[tuple[str, str]]:
    if len(text.strip()) < least:
        yield field, "blank"
    if len(text) > longest:
        yield field, "too_long"
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cn") and letter != "\n" for letter in text):
        yield field, "control_character"


def _amounts(order: Order, most: Decimal) -> Iterator[tuple[str, str]]:
    quantity = order.quantity
    if not quantity.is_finite() or quantity <= 0:
        yield "quantity", "not_positive"
    elif quantity > min(most, MOST_QUANTITY):
        yield "quantity", "too_large"
    elif quantity != round(quantity, DECIMALS):
        yield "quantity", "too_fine"
    if not 1 <= order.days_supply <= LONGEST_SUPPLY_DAYS:
        yield "days_supply", "out_of_range"
    if not 0 <= order.refills <= MOST_REFILLS:
        yield "refills", "out_of_range"
    elif order.days_supply * (order.refills + 1) > YEAR_DAYS:
        yield "refills", "beyond_a_year"


def plain(quantity: Decimal) -> str:
    """The quantity as SCRIPT and the signature want it: no exponent, no trailing zeros."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
