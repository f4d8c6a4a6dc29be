"""Somebody has a dump of the database, by PostgreSQL's own pg_dump as its owner, and not the keyring's file."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from django.db import connections, models
from pytest_django import Settings

from audit.ledger import SYSTEM, unit
from config import home as homes
from config.embedded.postgres import Postgres
from telehealth.records.models import Patient, Practitioner
from telehealth.vault.blind import blind
from telehealth.vault.cipher import Broken
from telehealth.vault.document import Document
from telehealth.vault.errors import VaultUnavailable
from telehealth.vault.fields import sealed_fields_of
from tests.conformance.samples import Canaries, sample
from tests.conformance.test_canary import CONTROL, sealed_models
from tests.vault.conftest import Ring, forget_all

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "617 555 0142"


@pytest.fixture
def sealed(ring: Ring, transactional_db: None) -> Canaries:
    """A row of every model with sealed fields, each field with a value of its own."""
    found: Canaries = {}
    with unit(SYSTEM, channel="task"):
        for model in sealed_models():
            sample(model, found)
        Patient(mrn="MRN-4711-CANARY", family="Dumpleton", given="Ada", phone=PHONE).save()
    Practitioner.objects.create(family=CONTROL)
    return found


def dump() -> str:
    """The whole database, schema and rows."""
    at = connections["owner"].settings_dict
    name = connections["default"].settings_dict["NAME"]
    command = [
        Postgres(homes.current()).programs / "pg_dump",
        "-h",
        at["HOST"],
        "-p",
        str(at["PORT"] or 5432),
        "-U",
        at["USER"],
        "--rows-per-insert=50",
        str(name),
    ]
    environment = os.environ | {"PGPASSWORD": at["PASSWORD"]}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


def spellings(value: str | bytes) -> set[str]:
    """As it may stand in a dump: as text, in hexadecimal, in base64."""
    raw = value.encode() if isinstance(value, str) else value
    return {raw.hex(), base64.b64encode(raw).decode().rstrip("=")} | ({value} if isinstance(value, str) else set())


def test_no_identifier_free_text_or_body_is_readable_in_it(sealed: Canaries, ring: Ring) -> None:
    text = dump()
    assert CONTROL in text, "the dump has what is in the clear"
    assert "vault_recordkey" in text
    values = {**sealed, "mrn": "MRN-4711-CANARY", "family": "Dumpleton", "phone": PHONE, "E.164": "+16175550142"}
    assert [label for label, value in values.items() if any(each in text for each in spellings(value))] == []


def test_no_key_is_in_it(sealed: Canaries, ring: Ring) -> None:
    text = dump()
    assert [name for name, key in ring.keys.items() if any(each in text for each in spellings(key))] == []
    for kind in ("MAC_KEY", "SIGNING_KEY"):
        secret = Path(os.environ[f"AUDIT_{kind}_FILE"]).read_text().strip()
        assert secret not in text


def rows() -> list[models.Model]:
    return [row for model in sealed_models() for row in model._base_manager.all()]


@pytest.mark.parametrize("has", ["another keyring of the same names", "no keyring"])
def test_without_the_keyring_nothing_of_it_opens_and_nobody_is_found(
    sealed: Canaries, ring: Ring, tmp_path: Path, settings: Settings, has: str
) -> None:
    other = tmp_path / "other.json"
    if has != "no keyring":
        Ring(other).write(Document(keks={"one": os.urandom(32)}, active="one", indexes={1: os.urandom(32)}))
    settings.VAULT_KEYRING_FILE = str(other)
    forget_all()
    tried = 0
    for row in rows():
        for field in sealed_fields_of(type(row)):
            with unit(SYSTEM, channel="task"):
                if row.__dict__[field.attname] is not None:
                    with pytest.raises((Broken, VaultUnavailable)):
                        getattr(row, field.attname)
                    tried += 1
    assert tried >= len(sealed)
    if has == "no keyring":
        with pytest.raises(VaultUnavailable):
            blind("records.Patient.phone", PHONE)
    else:
        assert not Patient.objects.filter(phone_index=blind("records.Patient.phone", PHONE)).exists()


def test_with_the_keyring_all_of_it_opens(sealed: Canaries, ring: Ring) -> None:
    """What the others are held against."""
    forget_all()
    with unit(SYSTEM, channel="task"):
        read = {f"{type(row)._meta.label}.{field.name}": json.dumps(getattr(row, field.attname), default=str)
                for row in rows() for field in sealed_fields_of(type(row)) if row.__dict__[field.attname] is not None}  # fmt: skip
        assert Patient.objects.get(phone_index=blind("records.Patient.phone", PHONE)).family == "Dumpleton"
    assert sealed.keys() <= read.keys()
    assert len(read) >= len(sealed)
