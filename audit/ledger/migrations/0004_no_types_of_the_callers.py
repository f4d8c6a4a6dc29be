"""The ledger's functions look for nothing among temporary objects.

PostgreSQL looks for types there first unless a path names `pg_temp` last: whoever may make temporary objects could give
`audit_make_partitions`, which runs as the owner, a type whose check is then run as the owner.
"""

from typing import ClassVar

from django.db import migrations

SAFE = "ALTER FUNCTION {} SET search_path = pg_catalog, public, pg_temp"
FUNCTIONS = ("audit_make_partitions()", "audit_id_at(timestamptz)", "audit_refuse_back_dating()", "audit_refuse_change()")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0003_archive")]

    operations: ClassVar = [migrations.RunSQL([SAFE.format(each) for each in FUNCTIONS], migrations.RunSQL.noop)]
