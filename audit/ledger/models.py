"""The ledger's tables. None is managed by Django's schema editor: `migrations/0001_ledger.py` writes their SQL,
because partitions, triggers and grants are the point of them."""

from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.db import models

from audit.ledger.acts import Act
from audit.ledger.entries import COLUMNS, Row, detail_text
from audit.ledger.ids import first_id_at, uuid7
from audit.ledger.keys import mac
from audit.ledger.units import current, write

_CHANGES = {0: Act.OBJECT_CREATED, 1: Act.OBJECT_CHANGED, 2: Act.OBJECT_DELETED, 3: Act.OBJECT_ACCESSED}


class EntryManager(LogEntryManager):  # type: ignore[misc]  # auditlog is untyped
    """How django-auditlog writes: through the unit, names of fields only."""

    def create(self, **values: Any) -> None:
        """Write a change that auditlog saw. Values, representations and e-mails are dropped (C3)."""
        kind = values["content_type"].model_class()._meta.label
        detail = {"fields": sorted(values.get("changes") or {})}
        action = int(values["action"])
        here = current()
        row = here.row(_CHANGES[action], action=action, kind=kind, object_pk=str(values["object_pk"]), detail=detail_text(detail))
        write(here, [row])


class Entry(AbstractLogEntry):  # type: ignore[misc]  # auditlog is untyped
    """One thing that somebody did, or saw, or was refused. Never updated, never deleted, no foreign key:
    history outlives its subjects. `detail` is canonical JSON text of ids, field names, codes and counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    timestamp = models.DateTimeField()
    act = models.TextField()
    action = models.PositiveSmallIntegerField(choices=AbstractLogEntry.Action.choices)
    outcome = models.TextField()
    actor_id = models.UUIDField(null=True)
    role = models.TextField()
    session = models.TextField()
    client = models.TextField()
    channel = models.TextField()
    purpose = models.TextField()
    reason = models.TextField()
    cid = models.TextField()
    record_id = models.UUIDField(null=True)
    kind = models.TextField()
    object_pk = models.TextField()
    detail = models.TextField()
    mac = models.BinaryField()

    content_type = object_id = object_repr = serialized_data = changes_text = changes = None
    actor = remote_addr = remote_port = additional_data = actor_email = None

    objects = EntryManager()

    class Meta:
        managed = False
        db_table = "audit_entry"
        ordering = ["-id"]
        verbose_name = "entry"
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.act} {self.id}"

    def is_genuine(self) -> bool:
        """Whether its MAC is ours: for what rests a decision on an entry before the verifier has seen it."""
        row = Row(**{name: getattr(self, name) for name in COLUMNS})
        return compare_digest(mac(row.text()), bytes(self.mac))


class Leaf(models.Model):
    """Where an entry stands in the Merkle tree. `entry_id` is unique: nothing is sealed twice."""

    leaf_index = models.BigIntegerField(primary_key=True)
    entry_id = models.UUIDField(unique=True)
    leaf_hash = models.BinaryField()

    class Meta:
        managed = False
        db_table = "audit_leaf"

    def __str__(self) -> str:
        return str(self.leaf_index)


class Checkpoint(models.Model):
    """A signed head of the tree (C2SP tlog-checkpoint in `note`) and from where the next sealing looks on (`mark`)."""

    tree_size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    peaks = models.BinaryField()
    note = models.TextField()
    mark = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "audit_checkpoint"

    def __str__(self) -> str:
        return str(self.tree_size)


class Archive(models.Model):
    """A month whose entries lie in an archive file; `sha256` is of what the file holds unsealed."""

    month = models.DateField(primary_key=True)
    first_leaf = models.BigIntegerField(null=True)
    last_leaf = models.BigIntegerField(null=True)
    entries = models.BigIntegerField()
    sha256 = models.BinaryField()
    place = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "audit_archive"

    def __str__(self) -> str:
        return str(self.month)[:7]

    @property
    def begins(self) -> UUID:
        """The first id of the month."""
        return first_id_at(datetime(self.month.year, self.month.month, 1, tzinfo=UTC))

    @property
    def ends(self) -> UUID:
        """The first id after the month."""
        return first_id_at(datetime(self.month.year + self.month.month // 12, self.month.month % 12 + 1, 1, tzinfo=UTC))

    def holds(self, entry_id: UUID) -> bool:
        """Whether an entry of this id, whose first bits are its instant, is of this month."""
        return self.begins <= entry_id < self.ends
