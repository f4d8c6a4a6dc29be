"""On which days: the RFC 5545 recurrence rules that hours may have, and the days that a rule names."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import takewhile

from dateutil.rrule import rrulestr

from scheduling.errors import HoursEmpty, RuleNeedsStart, RuleNotSupported

LONGEST = 200
SOON = timedelta(days=1500)  # a leap day comes within it
EPOCH = date(2000, 1, 1)
_NUMBER = r"[1-9]\d{0,2}"
_DAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_NTH = rf"(?:[+-]?[1-5])?{_DAY}"
_OF_MONTH = r"[+-]?(?:[1-9]|[12]\d|3[01])"
_ALWAYS = {"FREQ": "DAILY|WEEKLY|MONTHLY", "INTERVAL": _NUMBER, "COUNT": _NUMBER}
PARTS: dict[str, dict[str, str]] = {
    "DAILY": _ALWAYS,
    "WEEKLY": {**_ALWAYS, "BYDAY": f"{_DAY}(?:,{_DAY}){{0,6}}", "WKST": _DAY},
    "MONTHLY": {
        **_ALWAYS,
        "BYDAY": f"{_NTH}(?:,{_NTH}){{0,20}}",
        "BYMONTHDAY": f"{_OF_MONTH}(?:,{_OF_MONTH}){{0,30}}",
        "BYSETPOS": "[+]?1|-1",
    },
}
"""What each frequency may be narrowed by. Times of day, weeks and years are not for hours; the last day is `valid_to`."""


def normal(text: str, *, valid_from: date | None, valid_to: date | None) -> str:
    """The rule in its one spelling. RuleNotSupported, RuleNeedsStart where it counts from a day that is not given, HoursEmpty."""
    parts = _parts(text)
    rule = ";".join(f"{name}={parts[name]}" for name in PARTS["WEEKLY"] | PARTS["MONTHLY"] if name in parts)
    if valid_from is None and _counts_from_its_start(parts):
        raise RuleNeedsStart()
    begin = max(valid_from or EPOCH, EPOCH)
    if next(days(rule, valid_from, begin, min(valid_to or date.max, begin + SOON)), None) is None:
        raise HoursEmpty()
    return rule


def days(rule: str, start: date | None, first: date, last: date) -> Iterator[date]:
    """The days of the rule from `first` to `last`, both included and none before `start`, from which the rule counts."""
    begin = start if start is not None and (start >= first or _counts_from_its_start(_parts(rule))) else first
    found = iter(rrulestr(rule, dtstart=datetime.combine(begin, time.min)))
    until = datetime.combine(last, time.min)
    return (day.date() for day in takewhile(lambda day: day <= until, found) if day.date() >= first)


def _parts(text: str) -> dict[str, str]:
    """Name and value of each part, as far as they are ones that we take; RuleNotSupported."""
    pairs = [part.partition("=") for part in text.strip().upper().removeprefix("RRULE:").split(";")]
    parts = {name: value for name, _, value in pairs}
    allowed = PARTS.get(parts.get("FREQ", ""), {})
    known = all(name in allowed and re.fullmatch(allowed[name], value, re.ASCII) for name, value in parts.items())
    if len(text) > LONGEST or len(pairs) != len(parts) or not known or not allowed:
        raise RuleNotSupported()
    if {"BYDAY", "BYMONTHDAY"} <= parts.keys() or ("BYSETPOS" in parts and not {"BYDAY", "BYMONTHDAY"} & parts.keys()):
        raise RuleNotSupported()
    return {name: value for name, value in parts.items() if (name, value) != ("INTERVAL", "1")}


def _counts_from_its_start(parts: dict[str, str]) -> bool:
    """Whether the day of the first occurrence matters to the others."""
    implied = parts["FREQ"] != "DAILY" and not {"BYDAY", "BYMONTHDAY"} & parts.keys()
    return implied or bool({"INTERVAL", "COUNT"} & parts.keys())
