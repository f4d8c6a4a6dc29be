"""Where a reference of a bundle leads: to the bundle's own entries, to our practitioners and places, or nowhere."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from telehealth.records.importing import reading
from telehealth.records.importing.staff import TABLES
from telehealth.records.importing.survey import Survey

CONDITIONAL = re.compile(r"(Practitioner|Organization|Location)\?identifier=(.{1,300})")
OURS = re.compile(r"(Practitioner|Organization|Location)/([0-9a-f-]{36})")


class References:
    """Resolves full URLs, `Type/id` of the sender, conditional references and our own ids to `Type/id` of ours."""

    def __init__(self, survey: Survey, patient: UUID) -> None:
        self.names: dict[str, str | None] = {}
        for item in survey.items:
            if item.refused or item.pk is None:
                continue
            ours = f"{item.kind}/{item.pk}"
            self.names[item.url] = self.names[ours] = ours
            self.names.setdefault(f"{item.kind}/{item.own_id}", ours)
            for identity in item.identities if item.staff else ():
                self.names.setdefault(f"{item.kind}?identifier={identity}", ours)
        for system, value in reading.identifiers(survey.patient):
            self.names[f"Patient?identifier={system}|{value}"] = f"Patient/{patient}"

    def resolve(self, reference: str) -> str | None:
        """`Type/id` of ours, or None when we know of no such thing."""
        name = unquote(reference.partition("/_history/")[0])
        if name not in self.names:
            found = _among_ours(name)
            if found is None:
                return None
            self.names[name] = found
        return self.names[name]


def _among_ours(name: str) -> str | None:
    asked = CONDITIONAL.fullmatch(name) or OURS.fullmatch(name)
    if not asked:
        return None
    column: Mapping[str, Any] = {"identity": asked[2]} if "?" in name else {"pk": _uuid(asked[2])}
    pk = TABLES[asked[1]].objects.filter(**column).values_list("pk", flat=True).first()
    return f"{asked[1]}/{pk}" if pk else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
