"""Writing and reading sealed files: bounded memory, ciphertext alone on any disk, and no byte without an opening (C1)."""

import base64
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.base import File
from django.db import connection, transaction

from audit.ledger import current, flush
from audit.ledger.chunks import as_file
from telehealth.vault import cipher
from telehealth.vault.cipher import Broken
from telehealth.vault.fields import SealedField, raw
from telehealth.vault.files import places, stream
from telehealth.vault.models import SealedFile


def write(chunks: Iterable[bytes], *, record_id: UUID, kind: str, media_type: str, title: str = "") -> SealedFile:
    """Seal and keep. The row is written last, so a row never points to half a file; `record_id` may be a `purpose`.

    Not to be called in a transaction when the chunks come slowly: it would stay open as long.
    """
    key = secrets.token_bytes(32)
    row = SealedFile(owner_id=record_id, kind=kind, media_type=media_type, title=title or None, file_key=base64.b64encode(key).decode())
    try:
        sealed = stream.seal(AESGCM(key), _counted(chunks, row), _bound_to(row))
        if places.sealed().save(row.place, File(as_file(sealed))) != row.place:
            raise FileExistsError
        with transaction.atomic():
            row.save(force_insert=True)
    except BaseException:
        with suppress(OSError):
            places.sealed().delete(row.place)
        raise
    return row


def read(row: SealedFile) -> Iterator[bytes]:
    """The content. Registers the opening at once, and commits it where no transaction of the caller's will.

    Each chunk is authentic when it is handed out; that the file was whole shows at its end, which raises Broken if not.
    """
    with raw():
        sealed = row.file_key
    current().open(row.record_id, row._meta.label, row.pk, "content")
    field = row._meta.get_field("file_key")
    assert isinstance(field, SealedField)  # noqa: S101  # it is declared so
    key = AESGCM(base64.b64decode(field.plaintext(row, sealed)))
    if not connection.in_atomic_block:
        flush()
    return _chunks(row, key)


def remove(row: SealedFile) -> None:
    """Take the row away, and its file when the transaction has committed."""
    place = row.place
    SealedFile.objects.filter(pk=row.pk).delete()
    transaction.on_commit(lambda: places.sealed().delete(place))


def sweep(before: datetime) -> int:
    """Delete files without a row that are older: their transaction was rolled back, and their key with it. How many."""
    storage, swept = places.sealed(), 0
    for place in list(_places("")):
        pk = UUID(place.rpartition("/")[2])
        if storage.get_modified_time(place) < before and not SealedFile.objects.filter(pk=pk).exists():
            storage.delete(place)
            swept += 1
    return swept


def _places(folder: str) -> Iterator[str]:
    with suppress(FileNotFoundError):
        folders, files = places.sealed().listdir(folder)
        yield from (f"{folder}/{name}".lstrip("/") for name in files)
        for each in folders:
            yield from _places(f"{folder}/{each}".lstrip("/"))


def _chunks(row: SealedFile, key: AESGCM) -> Iterator[bytes]:
    size = 0
    try:
        source = places.sealed().open(row.place, "rb")
    except FileNotFoundError:
        raise Broken from None
    with source:
        for chunk in stream.unseal(key, source, _bound_to(row)):
            size += len(chunk)
            yield chunk
    if size != row.size:
        raise Broken


def _counted(chunks: Iterable[bytes], row: SealedFile) -> Iterator[bytes]:
    row.size = 0
    for chunk in chunks:
        row.size += len(chunk)
        yield chunk


def _bound_to(row: SealedFile) -> bytes:
    return cipher.aad(row._meta.label_lower, "content", row.pk, row.record_id)
