"""The published log in a bucket with object lock, on moto's server: resumable, checkpoint last, nothing taken back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from audit.ledger import Act, tasks
from audit.ledger.models import Entry
from audit.ledger.publication import bucket as publication
from audit.ledger.publication.bucket import Bucket, Differs, publish
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Verifier
from audit.tlog.merkle import root_of
from audit.tlog.notes import opened
from tests.audit.conftest import Write, seal_all
from tests.audit.seeding import seeded


@pytest.fixture(scope="module")
def moto_s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(moto_s3: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client, and a bucket of this test's own with object lock that the settings name."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    settings.AUDIT_BUCKET, settings.AUDIT_BUCKET_PREFIX = f"log-{uuid4().hex}", "clinic/"
    settings.AUDIT_BUCKET_ENDPOINT, settings.AUDIT_BUCKET_REGION = moto_s3, "us-east-1"
    client = boto3.client("s3", endpoint_url=moto_s3)
    client.create_bucket(Bucket=settings.AUDIT_BUCKET, ObjectLockEnabledForBucket=True)
    yield client
    client.close()


def contents(s3: Any, name: str) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return {key.removeprefix("clinic/"): s3.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}


def test_what_is_in_the_bucket_is_a_log_of_its_own(s3: Any, sealer: Sealer, settings: Settings, tmp_path: Path) -> None:
    with seeded(1_000, sealer=sealer):
        call_command("publish_audit")
        found = contents(s3, settings.AUDIT_BUCKET)
        key = bytes.fromhex(found["public-key"].decode())
        head = opened(found["checkpoint"].decode(), settings.AUDIT_ORIGIN, key)
        tiles = [content for name, content in sorted(found.items()) if name.startswith("tile/0/")]
        assert head.size == sealer.peaks.size
        assert root_of([tile[at : at + 32] for tile in tiles for at in range(0, len(tile), 32)]) == head.root
        assert found[f"checkpoints/{head.size:020d}"] == found["checkpoint"]

        for name, content in found.items():  # and it serves as a copy to verify against
            (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "copy" / name).write_bytes(content)
        (tmp_path / "copy" / "checkpoints.log").write_bytes(found["checkpoint"] + b"\n")
        assert Verifier(tmp_path / "copy").run().ok


def test_every_object_is_retained_for_six_years_and_cannot_be_deleted(s3: Any, sealer: Sealer, written: Write, settings: Settings) -> None:
    written(2)
    seal_all(sealer)
    publish(sealer.tiles.root)
    versions = s3.list_object_versions(Bucket=settings.AUDIT_BUCKET)["Versions"]
    assert len(versions) >= 4
    for version in versions:
        which = {"Bucket": settings.AUDIT_BUCKET, "Key": version["Key"], "VersionId": version["VersionId"]}
        kept = s3.head_object(**which)
        assert kept["ObjectLockMode"] == "COMPLIANCE"
        assert kept["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=6 * 365)
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(**which)


def test_a_run_that_ended_in_the_middle_is_gone_on_with(
    s3: Any, sealer: Sealer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with seeded(1_000, sealer=sealer):
        put, left = Bucket.put, iter(range(3))

        def dying(self: Bucket, key: str, content: bytes, *, again: bool = False) -> None:
            next(left)  # the third object is the last
            put(self, key, content, again=again)

        monkeypatch.setattr(Bucket, "put", dying)
        with pytest.raises(StopIteration):
            publish(sealer.tiles.root)
        assert "checkpoint" not in contents(s3, settings.AUDIT_BUCKET)  # never before the tiles that it needs

        monkeypatch.setattr(Bucket, "put", put)
        before = set(contents(s3, settings.AUDIT_BUCKET))
        done = publish(sealer.tiles.root)
        after = contents(s3, settings.AUDIT_BUCKET)
        assert done.put == len(set(after) - before)  # what was there was not put again
        versions = s3.list_object_versions(Bucket=settings.AUDIT_BUCKET)["Versions"]
        assert len(versions) == len(after)


def test_the_next_run_puts_what_is_new_and_a_third_nothing(s3: Any, sealer: Sealer, written: Write, settings: Settings) -> None:
    with seeded(600, sealer=sealer):
        publish(sealer.tiles.root)
        written(1)
        seal_all(sealer)
        done = publish(sealer.tiles.root)
        assert 3 <= done.put <= 5  # partial tiles, the checkpoint under its size, the checkpoint
        assert publish(sealer.tiles.root).put == 0


def test_a_tile_whose_parts_went_meanwhile_is_taken_from_the_full_one(sealer: Sealer) -> None:
    with seeded(600, sealer=sealer):
        full = (sealer.tiles.root / "tile/0/000").read_bytes()
        assert dict(publication._contents(sealer.tiles.root, ["tile/0/000.p/3"])) == {"tile/0/000.p/3": full[:96]}


def test_a_bucket_without_object_lock_is_refused(s3: Any, sealer: Sealer, written: Write, settings: Settings) -> None:
    settings.AUDIT_BUCKET = f"open-{uuid4().hex}"
    s3.create_bucket(Bucket=settings.AUDIT_BUCKET)
    written(1)
    seal_all(sealer)
    with pytest.raises(CommandError, match="no object lock"):
        call_command("publish_audit")
    assert contents(s3, settings.AUDIT_BUCKET) == {}


def test_another_tile_under_the_same_name_is_noticed(s3: Any, sealer: Sealer, settings: Settings) -> None:
    with seeded(600, sealer=sealer):
        s3.put_object(Bucket=settings.AUDIT_BUCKET, Key="clinic/tile/0/000", Body=b"something else")
        with pytest.raises(Differs, match="tile/0/000"):
            publish(sealer.tiles.root)


def test_a_history_that_the_bucket_does_not_lead_to_raises_the_alarm(
    s3: Any, sealer: Sealer, written: Write, settings: Settings, tmp_path: Path
) -> None:
    """The files here are of a shorter tree than the bucket's: somebody put an old copy back."""
    written(2)
    seal_all(sealer)
    old = tmp_path / "old"
    old.mkdir()
    for name in ("checkpoint", "public-key"):
        (old / name).write_bytes((sealer.tiles.root / name).read_bytes())
    written(2)
    seal_all(sealer)
    publish(sealer.tiles.root)
    settings.AUDIT_CHECKPOINTS = old
    with pytest.raises(CommandError, match="does not lead on"):
        call_command("publish_audit")
    assert Entry.objects.filter(act=Act.LEDGER_FORK_FOUND).exists()


def test_the_clock_publishes_and_an_outage_waits_for_the_next_stroke(s3: Any, sealer: Sealer, written: Write, settings: Settings) -> None:
    written(1)
    seal_all(sealer)
    reachable, settings.AUDIT_BUCKET_ENDPOINT = settings.AUDIT_BUCKET_ENDPOINT, "http://127.0.0.1:9"
    tasks.publish_log()
    assert contents(s3, settings.AUDIT_BUCKET) == {}
    settings.AUDIT_BUCKET_ENDPOINT = reachable
    tasks.publish_log()
    assert "checkpoint" in contents(s3, settings.AUDIT_BUCKET)


def test_nothing_is_contacted_without_a_bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AUDIT_BUCKET = ""
    monkeypatch.setattr("audit.ledger.tasks.publish", pytest.fail)
    tasks.publish_log()
