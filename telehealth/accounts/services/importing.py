"""Many of the staff at once, out of a CSV file: every line is looked at first, and one that is wrong keeps all out."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.accounts.access import Role
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.accounts.selectors import account_of_email
from telehealth.accounts.services.staff import invite_staff

COLUMNS = ["email", "name", "role"]
STAFF_ROLES = frozenset(role.value for role in Role if role not in PATIENT_SIDE)
LONGEST_NAME = 200


@dataclass(frozen=True)
class Line:
    """One line of the file: its number, and what is wrong with it; "" when nothing is."""

    number: int
    problem: str
    row: dict[str, str]


@transaction.atomic
def import_staff(*, rows: Iterable[str], by: Actor, dry_run: bool = True) -> list[Line]:
    """Invite everybody, or nobody when any line is wrong; a dry run only tells. As with one invitation, somebody else approves
    each role unless the operator asks."""
    lines = _read(rows)
    if not dry_run and lines and not any(line.problem for line in lines):
        for line in lines:
            invite_staff(email=line.row["email"], role=Role(line.row["role"]), name=line.row["name"], by=by)
        record(by, Act.STAFF_IMPORTED, detail={"lines": len(lines)})
    return lines


def _read(rows: Iterable[str]) -> list[Line]:
    reader = csv.DictReader(rows, restkey="more", restval="")
    if reader.fieldnames != COLUMNS:
        return [Line(1, "columns", {})]
    lines: list[Line] = []
    seen: set[str] = set()
    for row in _rows(reader):
        told = {name: str(row.get(name) or "").strip() for name in COLUMNS}
        problem = "too_many_columns" if "more" in row else _problem(told, seen)
        seen.add(told["email"].casefold())
        lines.append(Line(reader.line_num, problem, told))
    return lines


def _rows(reader: "csv.DictReader[str]") -> Iterator[dict[str, Any]]:
    """The rows; one of nothing where the file cannot be read on."""
    try:
        yield from reader
    except csv.Error:
        yield {}


def _problem(row: dict[str, str], seen: set[str]) -> str:
    try:
        validate_email(row["email"])
    except ValidationError:
        return "email_invalid"
    if row["email"].casefold() in seen:
        return "email_twice"
    if account_of_email(row["email"]):
        return "email_taken"
    if row["role"] not in STAFF_ROLES:
        return "role_unknown"
    return "" if 0 < len(row["name"]) <= LONGEST_NAME else "name_invalid"
