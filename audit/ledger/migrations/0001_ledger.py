"""The ledger's tables, triggers and first partitions. Not reversible: an audit log is not dropped by a migration."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations, models

import audit.ledger.ids

SCHEMA = (Path(__file__).parent.parent / "schema.sql").read_text()


def text() -> models.TextField:
    return models.TextField()


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.RunSQL([SCHEMA]),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
            ],
            options={
                "verbose_name": "entry",
                "verbose_name_plural": "entries",
                "db_table": "audit_entry",
                "ordering": ["-id"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[("leaf_index", models.BigIntegerField(primary_key=True, serialize=False))],
            options={"db_table": "audit_leaf", "managed": False},
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[("tree_size", models.BigIntegerField(primary_key=True, serialize=False))],
            options={"db_table": "audit_checkpoint", "managed": False},
        ),
    ]
