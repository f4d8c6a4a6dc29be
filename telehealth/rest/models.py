"""What the engine remembers: idempotency keys, as hashes."""

from django.db import models

from audit.ledger import uuid7
from telehealth.core import now


class IdempotencyKey(models.Model):
    """One creation that an actor asked for under a key of its own. Keeps hashes, a status and an id: never a body."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    actor = models.UUIDField()
    key_hash = models.BinaryField(max_length=32)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    object_id = models.UUIDField()
    created_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "key_hash"], name="idempotencykey_one_per_actor_and_key"),
        ]

    def __str__(self) -> str:
        return str(self.id)
