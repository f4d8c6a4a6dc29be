"""Another process with a memory of its own: `python -m tests.vault.other_process RECORD`, told what to do line by line."""

import json
import sys
from uuid import UUID

import django

django.setup()

from audit.ledger import SYSTEM, unit  # noqa: E402  # after the settings
from telehealth.core.errors import DomainError  # noqa: E402
from telehealth.records.models import Patient  # noqa: E402
from telehealth.vault.blind import blind  # noqa: E402
from telehealth.vault.cipher import Broken  # noqa: E402

KEPT: dict[str, Patient] = {}


def obey(record: UUID, word: str, value: str) -> str:
    if word == "read":
        return str(Patient.objects.get(pk=record).family)
    if word == "keep":
        KEPT["row"] = Patient.objects.get(pk=record)
    elif word == "open":
        return str(KEPT["row"].family)
    elif word == "save":
        KEPT["row"].save()
    elif word == "look":
        return str(Patient.objects.filter(mrn_index=blind("records.Patient.mrn", value)).count())
    elif word == "write":
        row = Patient.objects.get(pk=record)
        row.given = value
        row.save()
    return "done"


def main() -> None:
    record = UUID(sys.argv[1])
    print(json.dumps("ready"), flush=True)  # noqa: T201  # it is how it answers
    for line in sys.stdin:
        word, _, value = line.strip().partition(" ")
        try:
            with unit(SYSTEM, channel="task"):
                answer = obey(record, word, value)
        except DomainError as error:
            answer = error.code
        except Broken:
            answer = "broken"
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
