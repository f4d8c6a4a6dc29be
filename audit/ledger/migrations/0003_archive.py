"""Which months of the ledger lie in archive files. Not reversible, like the ledger itself."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations, models

SCHEMA = (Path(__file__).parent.parent / "archive.sql").read_text()


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0002_unusual_entries")]

    operations: ClassVar = [
        migrations.RunSQL([SCHEMA]),
        migrations.CreateModel(
            name="Archive",
            fields=[("month", models.DateField(primary_key=True, serialize=False))],
            options={"db_table": "audit_archive", "managed": False},
        ),
    ]
