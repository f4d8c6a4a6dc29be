"""The published log in an S3 bucket with object lock: copies that this deployment can add to and nobody can take back.

What the bucket's own checkpoint speaks of is there; tiles since then are put first, each only where there is none
(`If-None-Match`), then the checkpoint under its size, and last the object `checkpoint`. So a run that ends in the middle
is gone on with, and the newest checkpoint never refers to a tile that is missing. Each object is retained, so each has
a day until which not even the account's owner may delete it (COMPLIANCE) or only with a special right (GOVERNANCE).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

from audit.ledger.errors import Forked
from audit.tlog.notes import BadCheckpoint, Head, opened
from audit.tlog.outline import full_tiles, open_tiles_at, partial_tiles, peaks_of
from audit.tlog.tiles import Tiles

PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"})
Progress = Callable[[int, int], None]


class Unlocked(RuntimeError):
    """The bucket has no object lock: what is put there could be deleted."""


class Differs(RuntimeError):
    """The bucket holds something else under the name of a tile, which never changes."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one run did: the size that is published now, and the objects that it put."""

    size: int
    put: int


class Bucket:
    """The bucket that the settings name."""

    def __init__(self) -> None:
        self.name, self.prefix = settings.AUDIT_BUCKET, settings.AUDIT_BUCKET_PREFIX
        self.s3 = boto3.client(
            "s3", region_name=settings.AUDIT_BUCKET_REGION or None, endpoint_url=settings.AUDIT_BUCKET_ENDPOINT or None, config=PATIENCE
        )
        self.put_count = 0

    def require_lock(self) -> None:
        """Unlocked, unless the bucket keeps what is put there."""
        try:
            found = self.s3.get_object_lock_configuration(Bucket=self.name)["ObjectLockConfiguration"]
        except ClientError as error:
            if code_of(error) == "ObjectLockConfigurationNotFoundError":
                raise Unlocked("the bucket has no object lock") from None
            raise
        if found.get("ObjectLockEnabled") != "Enabled":
            raise Unlocked("the bucket's object lock is not enabled")

    def get(self, key: str) -> bytes | None:
        """An object's newest version, or None."""
        try:
            content: bytes = self.s3.get_object(Bucket=self.name, Key=self.prefix + key)["Body"].read()
        except ClientError as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return None
            raise
        return content

    def put(self, key: str, content: bytes, *, again: bool = False) -> None:
        """Put it under retention. What is there already stays, unless `again`; Differs when it is something else."""
        more = {} if again else {"IfNoneMatch": "*"}
        try:
            self.s3.put_object(
                Bucket=self.name,
                Key=self.prefix + key,
                Body=content,
                ChecksumAlgorithm="SHA256",
                ObjectLockMode=settings.AUDIT_BUCKET_LOCK,
                ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=settings.AUDIT_BUCKET_DAYS),
                **more,
            )
        except ClientError as error:
            if code_of(error) != "PreconditionFailed":
                raise
            if self.get(key) != content:
                raise Differs(key) from None
            return
        self.put_count += 1


def publish(root: Path, progress: Progress = lambda done, of: None) -> Done:
    """Bring the bucket to what this directory publishes. Raises Unlocked, Differs, Forked, or what AWS said."""
    bucket = Bucket()
    bucket.require_lock()
    note = Tiles(root).newest()
    if not note:
        return Done(0, 0)
    public_key = bytes.fromhex((root / "public-key").read_text().strip())
    head = _opened(note, public_key)
    before = _before(bucket, root, head, public_key)
    if before == head.size:
        return Done(head.size, 0)
    paths = [*full_tiles(head.size, before), *partial_tiles(head.size)]
    bucket.put("public-key", public_key.hex().encode())
    for count, (path, content) in enumerate(_contents(root, paths), start=1):
        bucket.put(path, content)
        progress(count, len(paths))
    bucket.put(f"checkpoints/{head.size:020d}", note.encode())
    bucket.put("checkpoint", note.encode(), again=True)
    return Done(head.size, bucket.put_count)


def _before(bucket: Bucket, root: Path, head: Head, public_key: bytes) -> int:
    """The size that the bucket has, after showing that ours leads on from it."""
    theirs = bucket.get("checkpoint")
    if theirs is None:
        return 0
    old = _opened(theirs.decode(errors="replace"), public_key)
    tiles = open_tiles_at(root, old.size) if old.size <= head.size else None
    if tiles is None or peaks_of(tiles, old.size).root() != old.root:
        raise Forked("the bucket has a history that ours does not lead on from", published=old.size, stored=head.size)
    return old.size


def _contents(root: Path, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        try:
            yield path, (root / path).read_bytes()
        except FileNotFoundError:  # it has become full since, and its parts went: the first hashes of the full one are it
            full, _, width = path.partition(".p/")
            yield path, (root / full).read_bytes()[: int(width) * 32]


def _opened(note: str, public_key: bytes) -> Head:
    try:
        return opened(note, settings.AUDIT_ORIGIN, public_key)
    except BadCheckpoint as error:
        raise Forked(f"a checkpoint is not ours: {error}", published=0, stored=0) from error


def code_of(error: ClientError) -> str:
    """What AWS calls the failure."""
    return str(error.response.get("Error", {}).get("Code", ""))
