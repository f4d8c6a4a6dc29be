"""C3: what is sealed is nowhere else. One value of its own per sealed field, then a search of everything that was touched."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.apps import apps
from django.db import DatabaseError, connection, models

from audit.ledger import SYSTEM, unit
from config import env
from config import home as homes
from config.embedded.postgres import Postgres
from telehealth.records.models import Practitioner
from telehealth.vault.fields import sealed_fields_of
from tests.conformance.samples import Canaries, sample

CONTROL = "Clear-Control-Name-of-a-Practitioner"


def sealed_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if sealed_fields_of(model)]


@pytest.fixture
def canaries(transactional_db: None) -> Canaries:
    found: Canaries = {}
    for model in sealed_models():
        with unit(SYSTEM, channel="task"):
            row = sample(model, found)
            read = model.objects.get(pk=row.pk)  # type: ignore[attr-defined]
            assert all("Canary" in str(getattr(read, field.name)) for field in sealed_fields_of(model))
    Practitioner.objects.create(family=CONTROL)
    return found


def database_text() -> Iterator[str]:
    """Every row of every table, as text; binary columns in hex."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
            if cursor.fetchone() == (True,):
                cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
                yield from (row for (row,) in cursor.fetchall())


def test_every_sealed_field_has_a_canary(canaries: Canaries) -> None:
    wanted = {f"{model._meta.label}.{field.name}" for model in sealed_models() for field in sealed_fields_of(model)}
    assert set(canaries) == wanted
    assert len(wanted) > 15


def test_no_canary_is_readable_in_the_database(canaries: Canaries) -> None:
    text = "\n".join(database_text())
    assert CONTROL in text
    assert [label for label, canary in canaries.items() if canary in text or canary.encode().hex() in text] == []


def test_no_canary_is_in_the_files_of_the_servers(canaries: Canaries, caplog: pytest.LogCaptureFixture) -> None:
    one = next(iter(canaries.values()))
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0 WHERE 'x' <> %s", [one])  # a failing statement with a literal
    home = homes.current()
    with redis.Redis.from_url(homes.redis_url()) as broker:
        broker.save()
    found = found_in([home.root, Postgres(home).data], [CONTROL, *canaries.values()])
    assert CONTROL in found, "the search itself does not work"
    assert [label for label, canary in canaries.items() if canary in found] == []


def test_an_exception_that_quotes_a_value_is_logged_without_it(tmp_path: Path) -> None:
    script = (
        "import django, logging; django.setup()\n"
        "import structlog; log = structlog.get_logger('telehealth')\n"
        "try: raise ValueError('CanaryInAnException')\n"
        "except ValueError: log.exception('something failed', note='CanaryInExtra', kind='Canary in a key')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=env.BASE_DIR)
    assert "something failed" in done.stderr
    assert "ValueError" in done.stderr
    assert "Canary" not in done.stderr
    assert logging.getLogger().handlers


def found_in(roots: list[Path], needles: list[str]) -> set[str]:
    """Which of the texts any file below holds, in UTF-8 or, as PostgreSQL writes bytes, in hex."""
    spelled = {needle: needle for needle in needles} | {needle.encode().hex(): needle for needle in needles}
    command = ["grep", "-rhaoF", "-f", "-", "--", *map(str, roots)]
    # Files of a running server come and go: grep's complaint about that is no failure, an empty answer would be.
    done = subprocess.run(command, input="\n".join(spelled).encode(), capture_output=True, check=False)
    return {spelled[line] for line in set(done.stdout.decode().splitlines())}
