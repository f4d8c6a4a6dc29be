"""The published log over HTTP: for a witness with a token, hashes only, and not there when nobody is one."""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from audit.ledger import Act
from audit.ledger.models import Entry, Leaf
from audit.ledger.sealing import Sealer
from audit.tlog.merkle import HASH_BYTES, root_of
from audit.tlog.notes import opened
from tests.audit.conftest import Write, seal_all
from tests.people import Browser

TOKEN = "a-token-of-forty-two-random-characters-----"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def log(sealer: Sealer, written: Write, settings: Settings) -> Path:
    """A published log of a few entries, and one witness."""
    written(3)
    seal_all(sealer)
    settings.AUDIT_WITNESS_TOKENS = ["0" * 64, hashlib.sha256(TOKEN.encode()).hexdigest()]
    return sealer.tiles.root


def fetch(name: str, **headers: str) -> bytes:
    reply = Browser().get(f"/audit/log/{name}", headers=BEARER | headers)
    assert reply.status_code in (200, 206), reply.status_code
    return b"".join(reply.streaming_content)  # type: ignore[attr-defined]


def test_a_witness_rebuilds_the_root_from_what_is_served(log: Path) -> None:
    key = bytes.fromhex(fetch("public-key").decode())
    head = opened(fetch("checkpoint").decode(), django_settings.AUDIT_ORIGIN, key)
    leaves: list[bytes] = []
    while len(leaves) < head.size:
        index, left = len(leaves) // 256, head.size - len(leaves)
        tile = fetch(f"tile/0/{index:03d}" + ("" if left >= 256 else f".p/{left}"))
        leaves += [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
    assert head.size == Leaf.objects.count() > 0
    assert root_of(leaves) == head.root


def test_only_the_checkpoints_not_seen_yet_are_fetched(log: Path, sealer: Sealer, written: Write) -> None:
    seen = len(fetch("checkpoints.log"))
    written(1)
    seal_all(sealer)
    reply = Browser().get("/audit/log/checkpoints.log", headers=BEARER | {"Range": f"bytes={seen}-"})
    new = b"".join(reply.streaming_content)  # type: ignore[attr-defined]
    assert (reply.status_code, reply["Content-Range"]) == (206, f"bytes {seen}-{seen + len(new) - 1}/{seen + len(new)}")
    assert new == (log / "checkpoints.log").read_bytes()[seen:] != b""
    beyond = Browser().get("/audit/log/checkpoints.log", headers=BEARER | {"Range": f"bytes={seen + len(new)}-"})
    assert beyond.status_code == 416


def test_what_is_served_is_hashes_and_notes_and_names_no_entry(log: Path, written: Write) -> None:
    ids = [str(pk) for pk in Entry.objects.values_list("pk", flat=True)]
    names = [str(path.relative_to(log)) for path in log.rglob("*") if path.is_file() and path.name != "cluster"]
    content = b"".join(fetch(name) for name in names)
    assert len(names) > 3
    assert not [one for one in ids if one.encode() in content or bytes.fromhex(one.replace("-", "")) in content]
    assert b"record.opened" not in content
    assert b"test" not in content


@pytest.mark.parametrize(
    "authorization",
    ["", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer ", TOKEN, f"Bearer {hashlib.sha256(TOKEN.encode()).hexdigest()}", "Bearer 0"],
)
def test_a_wrong_token_is_refused_and_on_record(log: Path, authorization: str) -> None:
    before = Entry.objects.filter(act=Act.REFUSED, reason="witness_unknown").count()
    reply = Browser().get("/audit/log/checkpoint", headers={"Authorization": authorization})
    assert (reply.status_code, reply["WWW-Authenticate"], reply.content) == (401, 'Bearer realm="audit log"', b"")
    assert Entry.objects.filter(act=Act.REFUSED, reason="witness_unknown").count() == before + 1


@pytest.mark.parametrize(
    "name",
    [
        "cluster",
        "../telehealth.env",
        "tile/0/../../public-key",
        "tile/0/",
        "tile/64/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/999",
        "superseded/1/checkpoint",
        "checkpoint.new",
        "tile/0/000/000",
        "tile%2F0%2F..%2F..%2Fcluster",
        "%2e%2e/keys/audit_mac.key",
    ],
)
def test_nothing_else_is_served(log: Path, name: str) -> None:
    (log / "superseded" / "1").mkdir(parents=True)
    (log / "superseded" / "1" / "checkpoint").touch()
    assert Browser().get(f"/audit/log/{name}", headers=BEARER).status_code == 404


def test_without_witnesses_the_address_is_not_there(log: Path, settings: Settings) -> None:
    settings.AUDIT_WITNESS_TOKENS = []
    assert Browser().get("/audit/log/checkpoint", headers=BEARER).status_code == 404


def test_nobody_writes_there(log: Path) -> None:
    for method in ("post", "put", "patch", "delete"):
        assert getattr(Browser(), method)("/audit/log/checkpoint", headers=BEARER).status_code == 405
