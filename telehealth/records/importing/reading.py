"""Pure reading of FHIR JSON that may hold anything anywhere: what has not the expected shape reads as absent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from telehealth.records.importing.kinds import CATEGORY, CODE, DATE, STATUS

Resource = Mapping[str, Any]
Path = tuple[str | int, ...]

TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_/]{0,63}")
URI = re.compile(r"[\x21-\x7e]{1,200}")
DATE_SHAPE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(T.*)?")
ADULT = 18
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"


def at(thing: Any, path: Path) -> Any:
    """What lies at the end of the path, or None."""
    for step in path:
        fits = isinstance(thing, Mapping) if isinstance(step, str) else isinstance(thing, list) and len(thing) > step
        if not fits:
            return None
        thing = thing.get(step) if isinstance(step, str) else thing[step]
    return thing


def text(thing: Any, *path: str | int) -> str:
    """The text at the end of the path without surrounding space, or ""."""
    found = at(thing, path)
    return found.replace("\0", "").strip() if isinstance(found, str) else ""


def rows(thing: Any, *path: str | int) -> list[Mapping[str, Any]]:
    """The objects in the list at the end of the path."""
    found = at(thing, path)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def identifiers(resource: Resource) -> Iterator[tuple[str, str]]:
    """Pairs of system and value: those that have both, as text."""
    for row in rows(resource, "identifier"):
        system, value = text(row, "system"), text(row, "value")
        if system and value and len(system) <= 300:
            yield system, value


def moment(value: str) -> datetime | None:
    """A FHIR date, dateTime or instant as the moment at which it begins; without a zone it is UTC."""
    shape = DATE_SHAPE.fullmatch(value)
    if not shape:
        return None
    year, month, day, rest = shape.groups()
    try:
        found = datetime.fromisoformat(f"{year}-{month or '01'}-{day or '01'}{rest or ''}")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class Columns:
    """The part of a resource that is kept in the clear, and what of it could not be read."""

    status: str
    category: str
    code_system: str
    code: str
    date: datetime | None
    unreadable: tuple[str, ...]


def columns(resource: Resource) -> Columns:
    """Status, category, code and time, each only if it is one: free text in a code's place stays sealed."""
    unreadable = []
    status, category = _first_text(resource, STATUS), _first_text(resource, CATEGORY)
    coding = next((found for path in CODE if isinstance(found := at(resource, path), Mapping)), {})
    system, code = text(coding, "system"), text(coding, "code")
    when = _first_text(resource, DATE)
    read = moment(when)
    for name, value, shape in (("status", status, TOKEN), ("category", category, TOKEN), ("code", code, TOKEN)):
        if value and not shape.fullmatch(value):
            unreadable.append(f"unreadable_{name}")
    if when and read is None:
        unreadable.append("unreadable_date")
    return Columns(
        status=_if(TOKEN, status),
        category=_if(TOKEN, category),
        code_system=_if(URI, system),
        code=_if(TOKEN, code),
        date=read,
        unreadable=tuple(unreadable),
    )


def _first_text(resource: Resource, paths: tuple[Path, ...]) -> str:
    return next((found for path in paths if (found := text(resource, *path))), "")


def _if(shape: re.Pattern[str], value: str) -> str:
    return value if shape.fullmatch(value) else ""


@dataclass(frozen=True)
class Demographics:
    """Who somebody is, out of a FHIR Patient; and what of it could not be read."""

    family: str
    given: str
    birth_date: str | None
    gender: str
    phone: str | None
    email: str | None
    address: dict[str, str] | None
    deceased: str
    is_deceased: bool
    language: str
    mrn: str
    problems: tuple[str, ...] = field(default=(), compare=False)


def demographics(patient: Resource) -> Demographics:
    """What the columns of a patient hold."""
    name = next((row for row in rows(patient, "name") if row.get("use") == "official"), None) or at(patient, ("name", 0))
    given = at(name, ("given",))
    born, died = text(patient, "birthDate"), text(patient, "deceasedDateTime")
    readable = moment(born) is not None and "T" not in born
    problems = [code for code, bad in (("unreadable_birth_date", not readable), ("no_name", not text(name, "family"))) if bad]
    return Demographics(
        family=text(name, "family"),
        given=" ".join(part for part in given if isinstance(part, str)) if isinstance(given, list) else "",
        birth_date=born if readable else None,
        gender=text(patient, "gender"),
        phone=_telecom(patient, "phone"),
        email=_telecom(patient, "email"),
        address=_address(patient),
        deceased=died,
        is_deceased=bool(died) or patient.get("deceasedBoolean") is True,
        language=text(patient, "communication", 0, "language", "coding", 0, "code"),
        mrn=_mrn(patient),
        problems=tuple(problems),
    )


def _telecom(patient: Resource, system: str) -> str | None:
    found = (text(row, "value") for row in rows(patient, "telecom") if row.get("system") == system)
    return next(filter(None, found), None)


def _address(patient: Resource) -> dict[str, str] | None:
    found = next(iter(rows(patient, "address")), None)
    if found is None:
        return None
    lines = at(found, ("line",))
    return {
        "line": ", ".join(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else "",
        "city": text(found, "city"),
        "state": text(found, "state"),
        "postal_code": text(found, "postalCode"),
        "country": text(found, "country"),
    }


def _mrn(patient: Resource) -> str:
    for row in rows(patient, "identifier"):
        if any(coding.get("code") == "MR" for coding in rows(row, "type", "coding")):
            return text(row, "value")
    return ""


def is_minor(birth_date: str | None, today: date) -> bool | None:
    """Below 18 on that day; None when the date does not tell. A year alone counts as its last day: rather a minor."""
    age = age_on(birth_date, today)
    return None if age is None else age < ADULT


def age_on(birth_date: str | None, today: date) -> int | None:
    """Full years on that day; None when the date does not tell. A year or month alone counts as its last day."""
    shape = DATE_SHAPE.fullmatch(birth_date or "")
    if not shape:
        return None
    year, month, day = int(shape[1]), int(shape[2] or 12), int(shape[3] or 31)
    return (today.year - year) - ((today.month, today.day) < (month, day))


def npi_valid(value: str) -> bool:
    """Ten digits whose Luhn sum, with the prefix 80840, is a multiple of ten (45 CFR 162.406)."""
    if not re.fullmatch(r"[12][0-9]{9}", value):
        return False
    numbers = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed("80840" + value))]
    return sum(sum(divmod(number, 10)) for number in numbers) % 10 == 0


def staff_identity(resource: Resource, system: str, value: str) -> str:
    """What tells one practitioner or organisation from another: a number, with the name where the number is no real one."""
    if system != NPI_SYSTEM or npi_valid(value):
        return f"{system}|{value}"[:300]
    name = at(resource, ("name", 0))
    return f"{system}|{value}|{text(name, 'family')}|{text(name, 'given', 0)}".casefold()[:300]


def is_private_place(resource: Resource) -> bool:
    """A patient's home entered as a Location: health data, not a place of the clinic."""
    codes = {coding.get("code") for row in rows(resource, "type") for coding in rows(row, "coding")}
    codes |= {coding.get("code") for coding in rows(resource, "physicalType", "coding")}
    return bool(codes & {"PTRES", "ho"})
