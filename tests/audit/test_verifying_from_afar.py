"""`verify_audit --against URL`: the log held against what a clinic serves under /audit/log/ to whoever has a witness's token."""

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from audit.ledger import Act, keys
from audit.ledger.models import Entry
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Verifier
from audit.tlog.merkle import Peaks
from audit.tlog.reading import TileReader, Unpublished
from tests.audit.attacking import Attack, at, attack, command, cut, everything, log, put_checkpoint, rewrite_leaf, shift, small, text_of
from tests.audit.conftest import Write, seal_all
from tests.audit.test_merkle import OneKey
from tests.audit.witnessing import clinic, served
from tests.live import free_port

__all__ = ["attack", "log", "small"]  # fixtures
TOKEN = "a-token-of-a-witness"


@dataclass
class Afar:
    """Where the published log is served, its folder, the witness's token in a file, and the key that the witness kept."""

    url: str
    folder: Path
    token: Path
    key: str

    def options(self, **more: str) -> list[str]:
        return ["--against", more.get("url", self.url), "--token-file", more.get("token", str(self.token))]


@pytest.fixture
def afar(log: list[UUID], sealer: Sealer, settings: Settings, tmp_path: Path) -> Iterator[Afar]:
    settings.AUDIT_WITNESS_TOKENS = [hashlib.sha256(TOKEN.encode()).hexdigest()]
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    folder = sealer.tiles.root
    with served(clinic()) as url:
        yield Afar(f"{url}/audit/log/", folder, tmp_path / "token", (folder / "public-key").read_text().strip())


def found(afar: Afar, **options: Any) -> tuple[str, str, int | None]:
    first = Verifier(afar.url, token=TOKEN, **options).run().damages[0]
    return first.kind, first.entry, first.index


def test_a_log_that_fits_what_is_served_verifies(afar: Afar, sealer: Sealer, written: Write, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_audit", "--jobs", "1", *afar.options(), "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["tree_size"], said["root"]) == (True, sealer.peaks.size, sealer.peaks.root().hex())
    written(3)  # the witness lags behind, which is no damage
    shutil.copytree(afar.folder, afar.folder.parent / "ahead")
    seal_all(Sealer(afar.folder.parent / "ahead"))
    report = Verifier(afar.url, token=TOKEN).run()
    assert report.ok, report.damages
    assert report.tree_size > sealer.peaks.size


def test_an_entry_rewritten_with_mac_and_leaf_is_named_by_the_tiles_served(attack: Attack, log: list[UUID], afar: Afar) -> None:
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    attack("UPDATE audit_entry SET mac = %s WHERE id = %s", keys.mac(text_of(attack, log[5])), log[5])
    rewrite_leaf(attack, log[5])
    assert found(afar) == ("edited", str(log[5]), index)


def rewritten(attack: Attack, victim: UUID, signer: Any) -> int:
    """An entry is dropped, and the tree over the others made anew under that signer's key."""
    index = at(victim)
    attack("DELETE FROM audit_entry WHERE id = %s", victim)
    attack("DELETE FROM audit_leaf WHERE entry_id = %s", victim)
    shift(attack, index, -1)
    attack("DELETE FROM audit_checkpoint")
    peaks = Peaks()
    for (leaf,) in attack("SELECT leaf_hash FROM audit_leaf ORDER BY leaf_index"):
        peaks.append(bytes(leaf))
    put_checkpoint(attack, peaks, signer)
    return index


def test_a_tree_made_anew_under_our_own_key_is_named_where_it_parts_from_what_is_served(
    attack: Attack, log: list[UUID], afar: Afar
) -> None:
    """Whoever has the signing key signs another history: it does not lead on from what the witness has."""
    index = rewritten(attack, log[3], keys.signer())
    assert found(afar) == ("deleted", f"leaf {index}", index)


def test_a_tree_made_anew_under_another_key_is_foreign(
    attack: Attack, log: list[UUID], afar: Afar, capsys: pytest.CaptureFixture[str]
) -> None:
    index = rewritten(attack, log[3], OneKey())
    report = Verifier(afar.url, bytes.fromhex(afar.key), token=TOKEN).run()
    assert report.damages[0].index == index
    assert {"foreign signature", "truncated tail", "rolled-back checkpoint"} <= {each.kind for each in report.damages}
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--jobs", "1", *afar.options())
    said = capsys.readouterr().out
    assert ended.value.code == 1
    assert f"deleted: leaf {index} at leaf {index}" in said and "THE LOG DOES NOT VERIFY" in said


def test_what_is_served_elsewhere_than_here_counts_when_both_are_rolled_back_here(attack: Attack, log: list[UUID], afar: Afar) -> None:
    size = len(everything())
    cut(attack, log[-4:], size - 4)
    assert found(afar) == ("truncated tail", f"size {size - 4} of {size}", size - 4)


@pytest.mark.parametrize("with_key", [False, True])
def test_a_wrong_token_or_a_server_that_is_not_there_is_a_sentence(afar: Afar, tmp_path: Path, with_key: bool) -> None:
    key = ["--key", afar.key] if with_key else []
    before = Entry.objects.filter(act=Act.REFUSED, reason="witness_unknown").count()
    (tmp_path / "wrong").write_text("not-the-token")
    with pytest.raises(CommandError, match=f"{afar.url} cannot be had .*the server answers 401"):
        call_command("verify_audit", "--jobs", "1", *afar.options(token=str(tmp_path / "wrong")), *key)
    with pytest.raises(CommandError, match="the server answers 401"):
        call_command("verify_audit", "--jobs", "1", "--against", afar.url, *key)
    assert Entry.objects.filter(act=Act.REFUSED, reason="witness_unknown").count() >= before + 2
    nowhere = f"http://127.0.0.1:{free_port()}/audit/log"
    with pytest.raises(CommandError, match=f"{nowhere} cannot be had .*the server does not answer"):
        call_command("verify_audit", "--jobs", "1", *afar.options(url=nowhere), *key)


def test_as_a_process_it_ends_with_a_code_and_one_line(afar: Afar, sealer: Sealer) -> None:
    """With the key given the first question is asked when the pieces are under way in other processes."""
    nowhere = f"http://127.0.0.1:{free_port()}/"
    done = command(sealer, "--jobs", "2", "--key", afar.key, *afar.options(url=nowhere))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    (said,) = done.stderr.strip().splitlines()
    assert "nothing was verified" in said and nowhere in said


def answering(body: bytes, **headers: str) -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/html"), *headers.items()])
        return [body]

    return application


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b"\xff\xfe\x00"])
@pytest.mark.parametrize("with_key", [False, True])
def test_a_server_of_something_else_verifies_nothing(afar: Afar, body: bytes, with_key: bool) -> None:
    """A sign-in page, nothing at all, no text: never a log that verifies, and never a traceback."""
    key = ["--key", afar.key] if with_key else []
    with served(answering(body)) as url, pytest.raises((CommandError, SystemExit)) as ended:
        call_command("verify_audit", "--jobs", "1", *afar.options(url=url), *key)
    assert isinstance(ended.value, CommandError) or ended.value.code == 1


class CutOff(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\ncut")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


class Nonsense(CutOff):
    def do_GET(self) -> None:
        self.wfile.write(b"this is not HTTP\r\n\r\n")


@pytest.mark.parametrize("handler", [CutOff, Nonsense])
def test_an_answer_that_ends_too_early_or_is_none_is_no_answer(handler: type[BaseHTTPRequestHandler]) -> None:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            with pytest.raises(Unpublished, match="does not answer"):
                TileReader(f"http://127.0.0.1:{server.server_port}").checkpoint()
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("address", ["http://[::1", "http://127.0.0.1:notaport/", "ftp://127.0.0.1/", "http://a b/", "http://"])
def test_an_address_that_is_none_is_a_sentence(log: list[UUID], afar: Afar, address: str) -> None:
    for key in ([], ["--key", afar.key]):
        with pytest.raises(CommandError, match="nothing was verified"):
            call_command("verify_audit", "--jobs", "1", *afar.options(url=address), *key)


def test_the_token_does_not_follow_a_redirection(tmp_path: Path) -> None:
    seen: list[str] = []

    def elsewhere(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        seen.append(environ.get("HTTP_AUTHORIZATION", ""))
        start("404 Not Found", [])
        return []

    with served(elsewhere) as other:

        def here(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            seen.append(environ["HTTP_AUTHORIZATION"])
            start("302 Found", [("Location", f"{other}/checkpoint")])
            return []

        with served(here) as url, pytest.raises(Unpublished):
            TileReader(url, TOKEN).checkpoint()
    assert seen == [f"Bearer {TOKEN}", ""]


def test_held_against_nothing_nothing_is_verified(log: list[UUID], afar: Afar, tmp_path: Path) -> None:
    """With a key given, an empty place would otherwise agree with any log."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "note").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for place in ("empty", "note", "binary"):
        with pytest.raises(CommandError, match="nothing was verified"):
            call_command("verify_audit", "--jobs", "1", "--key", afar.key, "--against", str(tmp_path / place))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit", "--token-file", str(tmp_path / "binary"), "--against", afar.url)
