"""Addresses and phone numbers as SCRIPT wants them: a state by its two letters, digits only."""

import re
from collections.abc import Mapping
from typing import Any

from telehealth.records.states import state_code

LONGEST_LINE, LONGEST_CITY = 40, 35
Address = dict[str, str]


def address(given: Mapping[str, Any] | None) -> Address | None:
    """The address if all of it is there and fits, else None: nothing is guessed and nothing is cut."""
    text = {name: str((given or {}).get(name) or "").strip() for name in ("line", "city", "state", "postal_code")}
    text["state"] = state_code(text["state"])
    text["postal_code"] = text["postal_code"].replace("-", "")
    fits = len(text["line"]) <= LONGEST_LINE and len(text["city"]) <= LONGEST_CITY
    complete = all(text.values()) and re.fullmatch(r"[0-9]{5}([0-9]{4})?", text["postal_code"])
    return text if complete and fits else None


def phone(said: str | None) -> str:
    """Ten to fifteen digits, without the country code of North America; empty for what is no number."""
    digits = re.sub(r"[^0-9]", "", said or "")
    digits = digits.removeprefix("1") if len(digits) == 11 else digits
    return digits if 10 <= len(digits) <= 15 else ""
