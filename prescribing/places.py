"""Addresses and phone numbers as SCRIPT wants them: a state by its two letters, digits only."""

import re
from collections.abc import Mapping
from typing import Any

_CODES = (
    "Alabama AL,Alaska AK,American Samoa AS,Arizona AZ,Arkansas AR,California CA,Colorado CO,Connecticut CT,Delaware DE,"
    "District of Columbia DC,Florida FL,Georgia GA,Guam GU,Hawaii HI,Idaho ID,Illinois IL,Indiana IN,Iowa IA,Kansas KS,"
    "Kentucky KY,Louisiana LA,Maine ME,Maryland MD,Massachusetts MA,Michigan MI,Minnesota MN,Mississippi MS,Missouri MO,"
    "Montana MT,Nebraska NE,Nevada NV,New Hampshire NH,New Jersey NJ,New Mexico NM,New York NY,North Carolina NC,"
    "North Dakota ND,Northern Mariana Islands MP,Ohio OH,Oklahoma OK,Oregon OR,Pennsylvania PA,Puerto Rico PR,"
    "Rhode Island RI,South Carolina SC,South Dakota SD,Tennessee TN,Texas TX,Utah UT,Vermont VT,Virgin Islands VI,"
    "Virginia VA,Washington WA,West Virginia WV,Wisconsin WI,Wyoming WY"
)
STATES: dict[str, str] = {name.rpartition(" ")[0].casefold(): name.rpartition(" ")[2] for name in _CODES.split(",")}
LONGEST_LINE, LONGEST_CITY = 40, 35
Address = dict[str, str]


def address(given: Mapping[str, Any] | None) -> Address | None:
    """The address if all of it is there and fits, else None: nothing is guessed and nothing is cut."""
    text = {name: str((given or {}).get(name) or "").strip() for name in ("line", "city", "state", "postal_code")}
    text["state"] = _state(text["state"])
    text["postal_code"] = text["postal_code"].replace("-", "")
    fits = len(text["line"]) <= LONGEST_LINE and len(text["city"]) <= LONGEST_CITY
    complete = all(text.values()) and re.fullmatch(r"[0-9]{5}([0-9]{4})?", text["postal_code"])
    return text if complete and fits else None


def _state(said: str) -> str:
    if said.upper() in STATES.values():
        return said.upper()
    return STATES.get(said.casefold(), "")


def phone(said: str | None) -> str:
    """Ten to fifteen digits, without the country code of North America; empty for what is no number."""
    digits = re.sub(r"[^0-9]", "", said or "")
    digits = digits.removeprefix("1") if len(digits) == 11 else digits
    return digits if 10 <= len(digits) <= 15 else ""
