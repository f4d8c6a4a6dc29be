"""Sealed files: what was written comes back, and any other sequence of its bytes does not; no byte without an opening."""

import base64
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid4

import boto3
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from audit.ledger import SYSTEM, EntryNotWritten, NoContext, unit
from audit.ledger.models import Entry
from config import storage
from telehealth.vault import files, record_keys
from telehealth.vault.cipher import Broken
from telehealth.vault.files import stream
from telehealth.vault.files.stream import CHUNK, TAG
from telehealth.vault.models import RecordKey, SealedFile

HEAD = 15
KEY = AESGCM(b"k" * 32)
CANARY = b"Zephyrine Quillfeather, born 1971"


def sealed(plain: bytes, bound_to: bytes = b"here") -> bytes:
    return b"".join(stream.seal(KEY, [plain], bound_to))


def opened(raw: bytes, bound_to: bytes = b"here") -> bytes:
    return b"".join(stream.unseal(KEY, BytesIO(raw), bound_to))


# --- The construction ---------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=9), max_size=20), st.integers(0, 3), st.sampled_from([-1, 0, 1]))
def test_whatever_the_size_and_however_it_is_cut_it_comes_back(parts: list[bytes], whole: int, off: int) -> None:
    parts = [bytes(max(0, whole * CHUNK + off)), *parts]
    raw = b"".join(stream.seal(KEY, parts, b"here"))
    assert opened(raw) == b"".join(parts)
    assert len(raw) == stream.sealed_size(sum(map(len, parts)))


def three_chunks() -> tuple[bytes, list[bytes]]:
    raw = sealed(b"a" * CHUNK + b"b" * CHUNK + b"c" * CHUNK)
    body = raw[HEAD:]
    return raw[:HEAD], [body[at : at + CHUNK + TAG] for at in range(0, len(body), CHUNK + TAG)]


@pytest.mark.parametrize(
    "attack",
    [
        lambda c: [c[0], c[1]],  # truncated at a chunk's end
        lambda c: [c[0]],
        lambda c: [],  # all of it
        lambda c: [c[0], c[1], c[2][:-1]],  # within a chunk
        lambda c: [c[0], c[1], b""],
        lambda c: [c[1], c[0], c[2]],  # reordered
        lambda c: [c[0], c[2], c[1]],
        lambda c: [c[0], c[0], c[1], c[2]],  # repeated
        lambda c: [c[0], c[2]],  # left out
        lambda c: [c[0], c[1], c[2], c[2]],  # appended
        lambda c: [c[0], c[1], c[2], b"x"],
        lambda c: [c[0], three_chunks()[1][1], c[2]],  # of another file under the same key
    ],
)
def test_no_other_sequence_of_chunks_opens(attack: Callable[[list[bytes]], list[bytes]]) -> None:
    head, chunks = three_chunks()
    assert len(opened(head + b"".join(chunks))) == 3 * CHUNK
    with pytest.raises(Broken):
        opened(head + b"".join(attack(chunks)))


def test_what_comes_before_the_damage_is_authentic_and_nothing_behind_it_is_handed_out() -> None:
    head, chunks = three_chunks()
    reading = stream.unseal(KEY, BytesIO(head + chunks[0] + chunks[2] + chunks[1]), b"here")
    assert next(reading) == b"a" * CHUNK
    with pytest.raises(Broken):
        next(reading)


def test_every_flipped_byte_is_noticed() -> None:
    raw = sealed(b"short")
    for at in range(len(raw)):
        with pytest.raises(Broken):
            opened(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])


def test_a_file_opens_in_its_own_place_only() -> None:
    with pytest.raises(Broken):
        opened(sealed(b"x", b"here"), b"there")


def test_memory_does_not_grow_with_the_file() -> None:
    tracemalloc.start()
    try:
        source = (bytes(100_000) for _ in range(1_000))  # 100 MB
        size = sum(map(len, stream.unseal(KEY, files.sealed.as_file(stream.seal(KEY, source, b"")), b"")))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 100_000_000
    assert peak < 6_000_000


# --- With a record, a row and a place -------------------------------------------------------------


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> "Place":
    """Sealed files in a directory, and in a bucket behind S3's own protocol."""
    if request.param == "directory":
        settings.STORAGES = settings.STORAGES | {"sealed": storage.place(tmp_path / "files", "")}
    else:
        settings.STORAGES = settings.STORAGES | {"sealed": storage.place(tmp_path, request.getfixturevalue("bucket"))}
    return Place()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {"ENDPOINT_URL_S3": s3, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    name = f"sealed-{uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


class Place:
    """What an operator of the storage sees, and can do."""

    def raw(self, row: SealedFile) -> bytes:
        with storages["sealed"].open(row.place, "rb") as file:
            return bytes(file.read())

    def put(self, row: SealedFile, content: bytes) -> None:
        storages["sealed"].delete(row.place)
        storages["sealed"].save(row.place, ContentFile(content))


def write(plain: bytes = CANARY, record: UUID | None = None) -> SealedFile:
    made = files.write([plain], record_id=record or uuid4(), kind="attachment", media_type="text/plain", title="Letter")
    return SealedFile.objects.get(pk=made.pk)


def read(row: SealedFile) -> bytes:
    with unit(SYSTEM, channel="task"):
        return b"".join(files.read(row))


@pytest.mark.django_db(transaction=True)
def test_a_file_comes_back_and_lies_there_as_ciphertext(place: Place) -> None:
    plain = CANARY * 30_000  # about four chunks
    row = write(plain)
    assert row.size == len(plain)
    assert read(row) == plain
    assert CANARY not in place.raw(row)
    assert str(row.owner_id) not in row.place
    with unit(SYSTEM, channel="task"):
        assert row.title == "Letter"


@pytest.mark.django_db(transaction=True)
def test_truncated_changed_swapped_or_missing_files_do_not_open(place: Place) -> None:
    record = uuid4()
    row, other = write(b"1" * 2 * CHUNK, record), write(b"2" * 2 * CHUNK, record)
    raw = place.raw(row)
    for content in (raw[:-1], raw[: HEAD + CHUNK + TAG], raw[:HEAD], b"", raw + b"x", place.raw(other)):
        place.put(row, content)
        with pytest.raises(Broken):
            read(row)
    place.put(row, raw)
    assert read(row) == b"1" * 2 * CHUNK
    storages["sealed"].delete(row.place)
    with pytest.raises(Broken):
        read(row)


@pytest.mark.django_db(transaction=True)
def test_a_file_and_its_key_moved_together_to_another_row_or_record_do_not_open(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {"sealed": storage.place(tmp_path, "")}
    mine, theirs = write(b"mine"), write(b"theirs")
    content = Place().raw(mine)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vault_sealedfile t SET file_key = s.file_key FROM vault_sealedfile s WHERE s.id = %s AND t.id = %s",
            [mine.pk, theirs.pk],
        )
    Place().put(theirs, content)
    with pytest.raises(Broken):
        read(SealedFile.objects.get(pk=theirs.pk))
    SealedFile.objects.filter(pk=mine.pk).update(owner_id=theirs.owner_id)
    with pytest.raises(Broken):
        read(SealedFile.objects.get(pk=mine.pk))


@pytest.mark.django_db(transaction=True)
def test_the_opening_is_committed_before_the_first_chunk_exists(directory: None) -> None:
    row = write(b"x" * 3 * CHUNK)
    with unit(SYSTEM, channel="task"):
        chunks = files.read(row)
        entry = Entry.objects.get(act="record.opened", record_id=row.owner_id)  # before any was taken, and the unit goes on
        assert json.loads(entry.detail) == {f"vault.SealedFile:{row.pk}": ["content"]}
        assert len(list(islice(chunks, 1))) == 1
    assert Entry.objects.filter(record_id=row.owner_id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_read_outside_a_unit_or_when_the_entry_cannot_be_written(directory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    row = write()
    with pytest.raises(NoContext):
        files.read(row)
    with pytest.raises(EntryNotWritten), unit(SYSTEM, channel="x" * 10) as here:
        here.cid = "\x00"  # which PostgreSQL does not take
        files.read(row)


@pytest.mark.django_db(transaction=True)
def test_an_opening_in_a_transaction_that_is_rolled_back_stays(directory: None) -> None:
    row = write()
    with unit(SYSTEM, channel="task"):
        with pytest.raises(RuntimeError), transaction.atomic():
            assert b"".join(files.read(row)) == CANARY
            raise RuntimeError
    assert Entry.objects.filter(act="record.opened", record_id=row.owner_id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_records_key_the_file_is_unreadable(directory: None) -> None:
    row = write()
    RecordKey.objects.filter(record_id=row.owner_id).delete()
    record_keys.cache.clear()
    with pytest.raises(Broken):
        read(row)


@pytest.mark.django_db(transaction=True)
def test_a_file_that_fails_half_way_leaves_neither_row_nor_file(directory: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 2 * CHUNK
        raise ConnectionError

    with pytest.raises(ConnectionError):
        files.write(broken(), record_id=uuid4(), kind="attachment", media_type="text/plain")
    assert not SealedFile.objects.exists()
    assert not [path for path in directory.rglob("*") if path.is_file()]


@pytest.mark.django_db(transaction=True)
def test_removed_files_go_with_the_commit_and_orphans_are_swept(directory: Path) -> None:
    row, kept = write(), write()
    with pytest.raises(RuntimeError), transaction.atomic():
        files.remove(row)
        raise RuntimeError
    row = SealedFile.objects.get(pk=row.pk)
    assert read(row) == CANARY
    path = directory / row.place
    files.remove(row)
    assert not path.exists()

    with pytest.raises(RuntimeError), transaction.atomic():
        orphan = write()
        raise RuntimeError
    assert (directory / orphan.place).exists()
    assert files.sweep(datetime.now(UTC) - timedelta(days=1)) == 0  # it may be of a transaction that is still open
    assert files.sweep(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert read(kept) == CANARY


@pytest.mark.django_db(transaction=True)
def test_files_in_a_directory_are_private(directory: Path) -> None:
    path = directory / write().place
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.django_db(transaction=True)
def test_what_belongs_to_no_record_has_a_key_of_its_purpose(directory: None) -> None:
    row = write(record=files.purpose("exports"))
    assert read(row) == CANARY
    assert files.purpose("exports") != files.purpose("recordings")
    assert RecordKey.objects.filter(record_id=files.purpose("exports")).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_cannot_have_less_than_nothing(directory: None) -> None:
    row = write()
    with pytest.raises(DatabaseError, match="sealed_file_has_a_size"):
        SealedFile.objects.filter(pk=row.pk).update(size=-1)


@pytest.mark.django_db(transaction=True)
def test_each_file_has_a_key_and_a_prefix_of_its_own(directory: None) -> None:
    record = uuid4()
    rows = [write(record=record) for _ in range(3)]
    assert len({Place().raw(row)[:HEAD] for row in rows}) == 3
    with unit(SYSTEM, channel="task"):
        assert len({base64.b64decode(row.file_key) for row in rows}) == 3


@pytest.fixture
def directory(settings: Settings, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {"sealed": storage.place(tmp_path / "files", "")}
    return tmp_path / "files"
