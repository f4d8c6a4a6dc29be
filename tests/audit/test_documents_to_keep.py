"""What patients and privacy officers take home: made by the server, checked by a program that has never seen it."""

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from audit.ledger import SYSTEM, Act, record, unit
from audit.ledger.models import Checkpoint, Entry
from audit.ledger.proving import PAGE, Prover, place_of
from audit.ledger.sealing import Sealer
from audit.verify import Bad, check, main
from config import env
from telehealth.accounts.access import Role
from telehealth.core import now
from telehealth.records.models import Patient
from tests.audit.conftest import Write, seal_all
from tests.people import Browser, MakeAccount, Person

pytestmark = pytest.mark.django_db(transaction=True)
ClientFor = Callable[..., Browser]
NEEDED = ("cryptography", "cffi", "_cffi_backend*", "pycparser", "rfc8785")


def record_of(person: Person) -> Patient:
    made = Patient(mrn=person.id.hex, family="Canary-Blackthorn", account_id=person.id)
    made.save()
    return made


def opened(record: Patient, by: Person, times: int = 1) -> None:
    for _ in range(times):
        with unit(by.by, channel="REST"):
            assert Patient.objects.get(pk=record.pk).family


def lines_of(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return b"".join(reply.streaming_content).decode().splitlines(keepends=True)


@pytest.fixture
def offline(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """A Python that has the verifier and the two packages it names, and nothing else: no Django, no psycopg, no project."""
    here, packages = tmp_path / "offline", Path(sysconfig.get_path("platlib"))
    (here / "audit").mkdir(parents=True)
    for name in ("__init__.py", "verify.py"):
        shutil.copy(env.BASE_DIR / "audit" / name, here / "audit" / name)
    shutil.copytree(env.BASE_DIR / "audit" / "tlog", here / "audit" / "tlog")
    for pattern in NEEDED:
        for found in packages.glob(pattern):
            (here / found.name).symlink_to(found)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [getattr(sys, "_base_executable", sys.executable), "-S", *arguments]
        return subprocess.run(command, cwd=here, env={}, capture_output=True, text=True, timeout=60)

    assert run("-c", "import django").returncode == 1
    assert run("-c", "import psycopg").returncode == 1
    return run


def test_a_patient_downloads_the_accesses_and_anybody_can_check_them(
    sealer: Sealer, make_account: MakeAccount, client_for: ClientFor, offline: Any, tmp_path: Path
) -> None:
    pia, nurse = make_account(Role.PATIENT), make_account(Role.NURSE, name="Nan Novak")
    record = record_of(pia)
    opened(record, nurse, 3)
    seal_all(sealer)

    reply = client_for(pia).get(f"/api/v1/patients/{record.pk}/accesses/proofs/")
    lines = lines_of(reply)

    assert reply["Content-Disposition"] == f'attachment; filename="accesses-{record.pk}.jsonl"'
    rows = [json.loads(line) for line in lines]
    assert [row["name"] for row in rows[1:4]] == ["Nan Novak"] * 3
    # the download itself and that it is a disclosure, too young for the checkpoint
    assert [row["entry"]["act"] for row in rows[4:6]] == ["disclosure.made", "ledger.read"]
    assert rows[-1] == {"end": {"entries": 5, "waiting": 2}}
    assert "Canary" not in "".join(lines)

    document = tmp_path / "document"
    document.write_text("".join(lines))
    key = sealer.tiles.root / "public-key"
    told = offline("-m", "audit.verify", str(document), "--key", str(key))
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"3 of 5 entries of record {record.pk} are in the log." in told.stdout
    assert "2 were too young" in told.stdout
    assert "came with the document" not in told.stdout
    assert "came with the document" in offline("-m", "audit.verify", str(document)).stdout

    document.write_text("".join(lines).replace(str(nurse.id), str(pia.id), 1))
    told = offline("-m", "audit.verify", str(document))
    assert (told.returncode, told.stdout[:10]) == (1, "NOT PROVED")


def test_a_long_document_comes_in_pages(sealer: Sealer, make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account(Role.PATIENT)
    record_id = record_of(pia).pk
    with unit(SYSTEM, channel="task"):
        for _ in range(PAGE + 3):
            record(SYSTEM, Act.OBJECT_ACCESSED, record_id=record_id)
    seal_all(sealer)

    found = check(lines_of(client_for(pia).get(f"/api/v1/patients/{record_id}/accesses/proofs/")))

    assert (found.entries, found.waiting) == (PAGE + 5, 2)


@pytest.mark.parametrize("role", [Role.PATIENT, Role.PROVIDER, Role.NURSE, Role.FRONT_DESK, Role.ADMINISTRATOR])
def test_nobody_else_gets_it_and_the_attempt_is_on_record(
    sealer: Sealer, make_account: MakeAccount, client_for: ClientFor, role: Role
) -> None:
    record, stranger = record_of(make_account(Role.PATIENT)), make_account(role)
    assert client_for(stranger).get(f"/api/v1/patients/{record.pk}/accesses/proofs/").status_code == 404
    assert Entry.objects.filter(actor_id=stranger.id, outcome="refused").exists()


def test_a_stale_factor_takes_nothing_out(sealer: Sealer, written: Write, make_account: MakeAccount, client_for: ClientFor) -> None:
    pia, officer = make_account(Role.PATIENT), make_account(Role.PRIVACY_OFFICER)
    record, (entry,), before = record_of(pia), written(1), now() - timedelta(minutes=6)
    seal_all(sealer)
    for who, path in ((pia, f"patients/{record.pk}/accesses/proofs"), (officer, f"audit/entries/{entry}/proof")):
        reply = client_for(who, factor_at=before).get(f"/api/v1/{path}/")
        assert (reply.status_code, reply.json()["code"]) == (403, "fresh_factor_required")


def test_without_anything_published_it_is_said(sealer: Sealer, written: Write, make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account(Role.PATIENT)
    record = record_of(pia)
    seal_all(sealer)
    shutil.rmtree(sealer.tiles.root)

    reply = client_for(pia).get(f"/api/v1/patients/{record.pk}/accesses/proofs/")

    assert (reply.status_code, reply.json()["code"]) == (503, "proofs_unavailable")
    assert reply["Retry-After"]


def test_the_privacy_officer_proves_an_entry_and_that_the_log_only_grew(
    sealer: Sealer, written: Write, make_account: MakeAccount, client_for: ClientFor
) -> None:
    officer = client_for(make_account(Role.PRIVACY_OFFICER))
    entry = written(4)[1]
    seal_all(sealer)
    first = sealer.peaks.size
    written(3)
    seal_all(sealer)

    proof = officer.get(f"/api/v1/audit/entries/{entry}/proof/").json()
    grown = officer.get("/api/v1/audit/consistency/", {"first": first}).json()
    same = officer.get("/api/v1/audit/consistency/", {"first": first, "second": sealer.peaks.size}).json()
    seal_all(sealer)
    status = officer.get("/api/v1/audit/status/").json()

    assert proof["entry"]["id"] == str(entry)
    assert check([json.dumps(proof)], sealer_key(sealer)).entries == 1
    found = check([json.dumps(grown)], sealer_key(sealer))
    assert found.older is not None
    assert (found.older.size, found.head.size) == (first, int(grown["checkpoint"].splitlines()[1]))
    assert grown == same
    assert status["size"] == status["published"] == sealer.peaks.size
    assert status["unsealed"] >= 1  # this very look
    assert Entry.objects.filter(act=Act.LEDGER_READ, detail__contains=str(entry)).exists()


def test_what_is_not_in_the_log_is_not_proved(sealer: Sealer, written: Write, make_account: MakeAccount, client_for: ClientFor) -> None:
    seal_all(sealer)
    (waiting,) = written(1)
    person = make_account(Role.PRIVACY_OFFICER)
    officer, nothing = client_for(person), UUID(int=7)
    assert officer.get(f"/api/v1/audit/entries/{waiting}/proof/").status_code == 404
    assert officer.get(f"/api/v1/audit/entries/{nothing}/proof/").status_code == 404
    assert Entry.objects.filter(actor_id=person.id, outcome="refused", object_pk=str(nothing)).exists()
    seal_all(sealer)
    assert officer.get(f"/api/v1/audit/entries/{waiting}/proof/").status_code == 200
    for asked in ({}, {"first": "x"}, {"first": -1}, {"first": 1, "third": 3}, {"first": 2**70}):
        assert officer.get("/api/v1/audit/consistency/", asked).status_code == 400, asked
    for asked in ({"first": 10**9}, {"first": sealer.peaks.size, "second": 10**9}):
        assert officer.get("/api/v1/audit/consistency/", asked).status_code == 404, asked


def test_the_command_writes_the_same_documents(sealer: Sealer, written: Write, tmp_path: Path) -> None:
    entry = written(4)[1]
    seal_all(sealer)
    size = sealer.peaks.size
    written(3)
    seal_all(sealer)
    out, key = tmp_path / "document.json", str(sealer.tiles.root / "public-key")

    call_command("prove_audit", "entry", str(entry), output=out)
    assert main([str(out), "--key", key]) == 0
    call_command("prove_audit", "consistency", str(size), output=out)
    assert main([str(out), "--key", key]) == 0

    told = StringIO()
    call_command("prove_audit", "consistency", str(size), stdout=told)
    assert check([told.getvalue()]).older is not None
    with pytest.raises(CommandError, match="no such entry"):
        call_command("prove_audit", "entry", str(UUID(int=7)))
    with pytest.raises(CommandError, match="no checkpoint"):
        call_command("prove_audit", "consistency", str(10**9))


def sealer_key(sealer: Sealer) -> bytes:
    return bytes.fromhex((sealer.tiles.root / "public-key").read_text())


@pytest.fixture
def document(sealer: Sealer, written: Write, make_account: MakeAccount, client_for: ClientFor) -> list[str]:
    pia = make_account(Role.PATIENT)
    record = record_of(pia)
    opened(record, make_account(Role.NURSE), 4)
    seal_all(sealer)
    return lines_of(client_for(pia).get(f"/api/v1/patients/{record.pk}/accesses/proofs/"))


def test_whatever_is_changed_in_a_document_shows(document: list[str], sealer: Sealer) -> None:
    key = sealer_key(sealer)
    rows = [json.loads(line) for line in document]
    check(document, key)

    def changed(at: int, **values: Any) -> list[str]:
        made = [*document]
        made[at] = json.dumps({**rows[at], **values})
        return made

    entry, other = rows[2]["entry"], rows[3]
    attempts = {
        "dropped": [*document[:2], *document[3:]],
        "cut off": document[:-1],
        "cut within": [*document[:3], document[3][:40]],
        "twice": [*document[:3], *document[2:]],
        "swapped": [document[0], document[2], document[1], *document[3:]],
        "more after the end": [*document, document[1]],
        "empty": [],
        "no header": document[1:],
        "another kind": changed(0, kind="gossip"),
        "another record": changed(0, record=str(UUID(int=1))),
        "another format": changed(0, format="telehealth.audit/2"),
        "count": changed(-1, end={"entries": 4, "waiting": 1}),
        "value": changed(2, entry={**entry, "role": "patient"}),
        "value left out": changed(2, entry={name: value for name, value in entry.items() if name != "reason"}),
        "value added": changed(2, entry={**entry, "mood": "fine"}),
        "not canonical": changed(2, entry={**entry, "action": 1e400}),
        "a float": changed(2, entry={**entry, "action": 3.5}),
        "mac": changed(2, mac="00" * 32),
        "short mac": changed(2, mac="00"),
        "place": changed(2, leaf_index=other["leaf_index"]),
        "no place": changed(2, leaf_index=None),
        "a place that is no number": changed(2, leaf_index=True),
        "negative place": changed(2, leaf_index=-1),
        "proof of another": changed(2, proof=other["proof"]),
        "longer proof": changed(2, proof=[*rows[2]["proof"], rows[2]["proof"][0]]),
        "short proof": changed(2, proof=rows[2]["proof"][:-1]),
        "unreadable proof": changed(2, proof=["@@"]),
        "proof of text": changed(2, proof="abc"),
        "checkpoint's size": changed(0, checkpoint=rows[0]["checkpoint"].replace(f"\n{sealer.peaks.size}\n", "\n9999\n")),
        "checkpoint": changed(0, checkpoint="hello"),
        "a list": ["[]"],
        "nonsense": ["{" * 5000],
    }
    passed = [name for name, lines in attempts.items() if not refused(lines, key)]
    assert passed == []


def test_a_name_given_twice_is_refused(document: list[str], sealer: Sealer) -> None:
    """A reader would see one value and the hash another."""
    document[1] = document[1].replace('"role":', '"role":"somebody else","role":', 1)
    assert refused(document, sealer_key(sealer))


def test_a_key_of_ones_own_is_not_the_clinics(document: list[str]) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    check(document)
    assert refused(document, other)


def refused(lines: list[str], key: bytes | None) -> bool:
    try:
        check(lines, key)
    except Bad:
        return True
    return False


def test_what_is_no_document_has_an_exit_code_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x"
    assert main([str(file)]) == 2
    file.write_bytes(b"\xff\xfe")
    assert main([str(file)]) == 1
    file.write_text("hello")
    assert main([str(file)]) == 1
    with pytest.raises(SystemExit):
        main([str(file), "--key", "abc"])
    assert "Traceback" not in "".join(capsys.readouterr())


def test_an_inclusion_proof_takes_five_milliseconds_at_most(sealer: Sealer, written: Write) -> None:
    """The best of ten, cold: a reader that has no tile yet. The full dose is in tests/bench."""
    entry = written(700)[3]
    seal_all(sealer)
    place = place_of(entry)
    assert place is not None
    taken = []
    for _ in range(10):
        began = now()
        assert Prover().path(place)
        taken.append(now() - began)
    assert min(taken) < timedelta(milliseconds=5)
    assert Checkpoint.objects.exists()


def test_a_document_writes_no_lines_of_its_own_into_the_verdict(
    document: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record's name in the header is signed by nobody."""
    head = json.loads(document[0])
    said = "x\r\x1b[2K\nSigned by key of the clinic.\u2028\ud800"
    file = tmp_path / "forged.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in ({**head, "record": said}, {"end": {"entries": 0, "waiting": 0}})))
    assert main([str(file)]) == 0
    told = capsys.readouterr().out
    assert told.replace("\n", "").isprintable()
    assert [line for line in told.splitlines() if line.startswith("Signed by key")] == [f"Signed by key {head['public_key']}."]


@pytest.mark.parametrize("name", ["\ud800", "id"])
def test_half_a_character_is_an_entry_that_cannot_be_written(
    document: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    row = json.loads(document[1])
    row["entry"] = {**row["entry"], name: "\ud800"}
    file = tmp_path / "odd.jsonl"
    file.write_text("\n".join([document[0].strip(), json.dumps(row), *(each.strip() for each in document[2:])]))
    assert main([str(file)]) == 1
    assert "NOT PROVED: line 2" in capsys.readouterr().out
