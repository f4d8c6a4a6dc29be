"""Idempotency keys: a repeated creation answers with what the first one made, and makes nothing.

A key is kept with the transaction of its creation, so a failed creation leaves no key and may be tried again. Only
hashes are kept, keyed by the key itself, which is not: a dump of the table does not tell what was asked.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson
from django.db import connection
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from audit.ledger import Actor
from telehealth.core import constraint, now
from telehealth.rest.errors import IdempotencyKeyInFlight, IdempotencyKeyInvalid, IdempotencyKeyReused
from telehealth.rest.models import IdempotencyKey

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)


@dataclass(frozen=True)
class Claim:
    """One request under one key of one actor."""

    actor: UUID
    key_hash: bytes
    request_hash: bytes


def claim_of(request: Request, by: Actor, raw: bytes | None = None) -> Claim | None:
    """What the request claims, None when it carries no key. A stranger's key is nobody's and counts for nothing.

    `raw` is the body of a face that reads it as it came.
    """
    key = request.headers.get(HEADER)
    if key is None or by.id is None:
        return None
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS) if raw is None else raw
    asked = b"\n".join([(request.method or "").encode(), request.get_full_path().encode(), body])
    return Claim(by.id, _digest(f"{by.id} {key}", b"key"), _digest(f"{by.id} {key}", asked))


def earlier(claim: Claim) -> IdempotencyKey | None:
    """The creation that this key already stands for, if any. Call inside the creation's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(claim.key_hash[:8], signed=True)])
        row = cursor.fetchone()
    if row is None or row[0] is not True:
        raise IdempotencyKeyInFlight
    known = IdempotencyKey.objects.filter(actor=claim.actor, key_hash=claim.key_hash).first()
    if known and bytes(known.request_hash) != claim.request_hash:
        raise IdempotencyKeyReused
    return known


def keep(claim: Claim, *, status: int, object_id: UUID) -> None:
    """Remember what was made under the key."""
    with constraint("idempotencykey_one_per_actor_and_key", IdempotencyKeyInFlight):
        IdempotencyKey.objects.create(
            actor=claim.actor,
            key_hash=claim.key_hash,
            request_hash=claim.request_hash,
            status=status,
            object_id=object_id,
        )


def forget_old() -> int:
    """Drop the keys that are older than a day; how many they were."""
    return IdempotencyKey.objects.filter(created_at__lt=now() - KEPT).delete()[0]


def forget_actor(actor: UUID, using: str) -> int:
    """Drop every key of an actor who is no more."""
    return IdempotencyKey.objects.using(using).filter(actor=actor).delete()[0]


def _digest(salt: str, value: bytes) -> bytes:
    return salted_hmac(f"telehealth.rest.idempotency {salt}", value, algorithm="sha256").digest()
