"""A new data key for one record, beside traffic: `begin`, `sweep` until nothing is left, `finish`.

From `begin` on everything is sealed under the new key; what the old one sealed still opens, and is sealed anew row by
row. `finish` destroys the old key once it seals nothing. Ended in the middle, it goes on where it was. It is the owner's
work: signed rows let nobody else write ciphertext. Values are opened and sealed inside the vault; none leaves it.
"""

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from uuid import UUID

from django.db import OperationalError, connections, transaction

from audit.ledger import Act, Actor, current, record
from telehealth.vault import cipher, keyring, sealed_rows
from telehealth.vault.errors import KeyInFiles
from telehealth.vault.files.purposes import AUDIT_ARCHIVES
from telehealth.vault.models import RecordKey, RetiredKey
from telehealth.vault.record_keys import DataKey, Wrapped, absent
from telehealth.vault.sealed_rows import Home

BATCH = 100
LAST_VERSION = 2**15 - 1
LOCK_TIMEOUT = "2s"
ATTEMPTS = 30
LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"


def begin(record_id: UUID, using: str) -> int:
    """The version to seal under from now on: a new one, or that of a re-key which has not ended. Waits for transactions
    that have sealed under the version before; RecordDestroyed or Broken when the record has no key."""
    current()
    if record_id == AUDIT_ARCHIVES:
        raise KeyInFiles(kind="vault.RecordKey")
    return patiently(lambda: _begin(record_id, using))


def _begin(record_id: UUID, using: str) -> int:
    with transaction.atomic(using=using):
        wait_a_little(using)
        key = RecordKey.objects.using(using).select_for_update().filter(record_id=record_id).first()
        if key is None:
            raise absent(record_id)
        if RetiredKey.objects.using(using).filter(record_id=record_id).exists():
            return key.version
        if key.version >= LAST_VERSION:
            raise OverflowError("this record's key has no further version")
        RetiredKey.objects.using(using).create(record_id=record_id, version=key.version, kek_id=key.kek_id, wrapped=key.wrapped)
        key.version += 1
        key.kek_id, key.wrapped = keyring.wrap(secrets.token_bytes(32))
        key.save(using=using, update_fields=["version", "kek_id", "wrapped"])
        return key.version


def sweep(record_id: UUID, using: str, size: int = BATCH) -> Iterator[int]:
    """Seal anew what is under an older version; yields the number of rows of each batch, which is committed by then."""
    current()
    for home in sealed_rows.homes_of(record_id):
        while done := patiently(partial(_batch, home, record_id, using, size)):
            yield done


def _batch(home: Home, record_id: UUID, using: str, size: int) -> int:
    done = 0
    with transaction.atomic(using=using):
        wait_a_little(using)
        sealed_rows.open_door(record_id, using)
        keys = keys_of(record_id, using)
        newest = max(keys)
        for pk, values in list(sealed_rows.batch(home, record_id, newest, size, using)):
            anew = [
                value if value is None or value == cipher.TOMBSTONE else _again(keys, value, sealed_rows.bound(home, field, pk, record_id))
                for field, value in zip(home.fields, values, strict=True)
            ]
            sealed_rows.write(home, pk, anew, using)
            done += 1
    return done


def _again(keys: dict[int, DataKey], value: bytes, bound: bytes) -> bytes:
    old = keys.get(cipher.key_version(value))
    if old is None:
        raise cipher.Broken
    return cipher.seal(keys[max(keys)], cipher.unseal(old, value, bound), bound)


def keys_of(record_id: UUID, using: str) -> dict[int, DataKey]:
    """Version → key, the current one and the one that is being replaced."""
    columns = ("version", "kek_id", "wrapped")
    rows = [
        row for model in (RecordKey, RetiredKey) for row in model.objects.using(using).filter(record_id=record_id).values_list(*columns)
    ]
    if not rows:
        raise absent(record_id)
    return {version: Wrapped(version, kek_id, bytes(wrapped)).open() for version, kek_id, wrapped in rows}


def finish(record_id: UUID, using: str, *, by: Actor, rows: int) -> bool:
    """Destroy the old key and record the act, unless something is still sealed under it: then False."""
    with transaction.atomic(using=using):
        key = RecordKey.objects.using(using).select_for_update().get(record_id=record_id)
        if sealed_rows.count(record_id, key.version, using):
            return False
        RetiredKey.objects.using(using).filter(record_id=record_id).delete()
        record(by, Act.RECORD_REKEYED, record_id=record_id, detail={"version": key.version, "rows": rows}, using=using)
    return True


def wait_a_little(using: str) -> None:
    """Traffic does not queue up behind us for longer than this."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")


def patiently(step: Callable[[], int]) -> int:
    """Again when somebody held the lock for too long."""
    for attempt in range(ATTEMPTS):
        try:
            return step()
        except OperationalError as trouble:
            if attempt == ATTEMPTS - 1 or getattr(trouble.__cause__, "sqlstate", "") not in (LOCK_NOT_AVAILABLE, DEADLOCK):
                raise
    return 0
