"""The verifier's own options: what it is held against, where it begins, how it ends, what it costs."""

import hmac
import json
import subprocess
import tracemalloc
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from audit.ledger import keys
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Report, Untrusted, Verifier
from audit.tlog.notes import Head, signed
from tests.audit.attacking import (
    Attack,
    attack,
    command,
    cut,
    cut_small,
    damages,
    everything,
    first,
    keys_origin,
    log,
    small,
)
from tests.audit.conftest import Write, seal_all
from tests.audit.seeding import seeded
from tests.audit.test_merkle import OneKey

__all__ = ["attack", "log", "small"]  # fixtures


def test_an_untouched_log_verifies_whatever_the_size_of_the_pieces(log: list[UUID]) -> None:
    report = Verifier().run()
    assert report.ok, report.damages
    assert report.entries == report.tree_size == len(everything())
    assert report.checkpoints >= 3


def test_against_what_was_kept_elsewhere(attack: Attack, log: list[UUID], sealer: Sealer, tmp_path: Path) -> None:
    """The owner may even write this machine's checkpoint files; the copies kept elsewhere they may not."""
    elsewhere, size = tmp_path / "elsewhere", len(everything())
    subprocess.run(["cp", "-r", str(sealer.tiles.root), str(elsewhere)], check=True)
    note = tmp_path / "note"
    note.write_text((elsewhere / "checkpoint").read_text())
    cut(attack, log[-4:], size - 4)
    for name in ("checkpoint", "checkpoints.log"):
        (sealer.tiles.root / name).write_text(
            "".join(f"{row[0]}\n" for row in attack("SELECT note FROM audit_checkpoint ORDER BY tree_size"))
            if name.endswith("log")
            else attack("SELECT note FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1")[0][0]
        )

    assert damages() == []
    for kept in (elsewhere, note, str(elsewhere)):
        assert "truncated tail" in {each.kind for each in damages(against=kept)}, kept
    with pytest.raises(FileNotFoundError):
        Verifier(tmp_path / "nowhere")


def test_since_a_checkpoint_that_is_trusted(log: list[UUID], sealer: Sealer, written: Write) -> None:
    note = sealer.tiles.newest()
    size = sealer.peaks.size
    written(9)
    seal_all(sealer)

    report = Verifier(since=note).run()

    assert report.ok, report.damages
    assert (report.since, report.entries, report.tree_size) == (size, 9, size + 9)
    assert report.root == sealer.peaks.root().hex()


def test_since_sees_what_comes_after_and_takes_only_a_checkpoint_of_ours(attack: Attack, log: list[UUID], sealer: Sealer) -> None:
    size = len(everything())
    (note,) = attack("SELECT note FROM audit_checkpoint WHERE tree_size = %s", size - 4)[0]
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = ANY(%s)", [log[2], log[-2]])
    assert first(since=note)[:2] == ("edited", str(log[-2]))
    assert first()[:2] == ("edited", str(log[2]))

    with pytest.raises(Untrusted, match="foreign signature"):
        Verifier(since=signed(Head(keys_origin(), size, bytes(32)), OneKey()))
    with pytest.raises(Untrusted, match="does not contain"):
        Verifier(since=signed(Head(keys_origin(), size - 4, bytes(32)), keys.signer())).run()
    with pytest.raises(Untrusted, match="malformed"):
        Verifier(since="hello")


def test_the_command_in_several_processes(log: list[UUID], sealer: Sealer, written: Write, tmp_path: Path) -> None:
    """Pieces by two processes give the report of one."""
    written(5)
    alone = Verifier().run()
    two = command(sealer, "--jobs", "2", "--json")
    assert two.returncode == 0, two.stderr
    found = json.loads(two.stdout)
    assert (found["ok"], found["tree_size"], found["root"]) == (True, alone.tree_size, alone.root)
    assert found["entries"] == alone.entries
    note = tmp_path / "note"
    note.write_text(sealer.tiles.newest())
    told = command(sealer, "--jobs", "2", "--since", str(note)).stdout
    assert "0 sealed entries after the first" in told
    assert "the log verifies" in told


def test_the_command_ends_as_scripts_expect(log: list[UUID], sealer: Sealer) -> None:
    other = OneKey().public_key().hex()
    call_command("verify_audit", "--jobs", "1")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--jobs", "1", "--key", other)
    assert ended.value.code == 1
    for wrong in (("--jobs", "0"), ("--key", "abc"), ("--since", "/nonexistent"), ("--against", "/nonexistent")):
        with pytest.raises(CommandError):
            call_command("verify_audit", *wrong)


def test_without_a_sealer_the_command_says_so(settings: Settings, tmp_path: Path, transactional_db: None) -> None:
    settings.AUDIT_CHECKPOINTS = tmp_path
    with pytest.raises(CommandError, match="has the sealer run"):
        call_command("verify_audit")


@given(st.binary(max_size=200))
def test_the_mac_is_hmac_sha_256(text: bytes) -> None:
    made = keys.LocalMac()
    assert made(text) == made(text) == hmac.digest(made.key, text, "sha256")


def test_memory_does_not_grow_with_the_log(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times the entries, the same peak but for the noise of an interpreter; the full dose is in tests/bench."""

    cut_small(monkeypatch, level=9)

    def peak() -> tuple[Report, int]:
        tracemalloc.start()
        try:
            report = Verifier().run()
            return report, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with seeded(5_000, months=2, sealer=sealer):
        _, before = peak()
        with seeded(20_000, months=2, sealer=sealer):
            report, after = peak()
    assert report.entries >= 25_000
    assert after - before < 20_000 * 40  # keeping so much as one digest of each entry would take twice that
