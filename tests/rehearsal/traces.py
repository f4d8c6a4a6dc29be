"""Looking for what an import brought in, wherever a clinic keeps anything: database, files, logs, broker."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis

from config import home as homes
from tests.live import Live


def identifying(bundle: Path) -> set[str]:
    """The patient's identifiers, phone numbers in every spelling, address lines and full names."""
    patient = next(each["resource"] for each in json.loads(bundle.read_text())["entry"] if each["resource"]["resourceType"] == "Patient")
    found = {each["value"] for each in patient.get("identifier", []) if len(each["value"]) > 5}
    for telecom in patient.get("telecom", []):
        digits = re.sub(r"\D", "", telecom["value"])
        found |= {telecom["value"], digits, f"+1{digits}"}
    found |= {line for address in patient.get("address", []) for line in address.get("line", [])}
    for name in patient["name"]:
        given, family = name["given"], name["family"]
        found |= {f"{' '.join(given)} {family}", f"{given[0]} {family}", f"{family}, {given[0]}"}
    return found


def clear_control(bundle: Path) -> str:
    """A practitioner's family name: in the clear by design, so the search has to find it."""
    resources = [each["resource"] for each in json.loads(bundle.read_text())["entry"]]
    return str(next(each["name"][0]["family"] for each in resources if each["resourceType"] == "Practitioner"))


def found_in(live: Live, needles: set[str]) -> set[str]:
    """Which of the texts are anywhere, whatever their case; bytes in the database also as hex."""
    spelled = {needle.casefold(): needle for needle in needles} | {needle.encode().hex(): needle for needle in needles}
    seen = _in_files(live.home.root, list(spelled))
    for text in (*_rows(live), *_keys(live)):
        folded = text.casefold()
        seen |= {each for each in spelled if each in folded}
    return {spelled[each] for each in seen}


def _in_files(root: Path, spelled: list[str]) -> set[str]:
    # Everything below the home: PostgreSQL's data and log, Valkey's, our logs, checkpoints.
    command = ["grep", "-rhaoiF", "-f", "-", "--", str(root)]
    done = subprocess.run(command, input="\n".join(spelled).encode(), capture_output=True, check=False)
    return {line.casefold() for line in done.stdout.decode(errors="replace").splitlines()}


def _settings(live: Live) -> dict[str, str]:
    return dict(line.split("=", 1) for line in live.home.env_file.read_text().splitlines() if "=" in line)


def _rows(live: Live) -> Iterator[str]:
    settings = _settings(live)
    entry = homes.parse_database(settings["MIGRATION_DATABASE_URL"])
    password = homes.password(live.home, "owner")
    address: dict[str, Any] = {"host": entry["HOST"], "port": entry["PORT"] or None, "user": entry["USER"], "dbname": entry["NAME"]}
    with psycopg.connect(**address, password=password) as owner:
        tables = owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'").fetchall()
        for (table,) in tables:
            for (row,) in owner.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t'.encode()):
                yield row


def _keys(live: Live) -> Iterator[str]:
    with redis.Redis.from_url(_settings(live)["REDIS_URL"]) as broker:
        for key in broker.scan_iter():
            yield key.decode(errors="replace")
            yield (broker.dump(key) or b"").decode("latin-1")
