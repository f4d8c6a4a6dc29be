"""Indexes that only unusual entries pay for: an opening for treatment that went well, which nearly all are, is in none."""

from typing import ClassVar

from django.db import migrations

INDEXES = {
    "audit_entry_act": "(act, id) WHERE act <> 'record.opened'",
    "audit_entry_outcome": "(outcome, id) WHERE outcome <> 'ok'",
    "audit_entry_purpose": "(purpose, id) WHERE purpose <> 'TREAT'",
}


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0001_ledger")]

    operations: ClassVar = [
        migrations.RunSQL(f"CREATE INDEX {name} ON audit_entry {columns}", f"DROP INDEX {name}") for name, columns in INDEXES.items()
    ]
