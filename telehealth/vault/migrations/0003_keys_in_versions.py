"""Keys in versions: of records (re-keying, destruction) and of the blind indexes (re-indexing).

`vault_owner_reseals` is the one door in the triggers that hold signed rows still. It opens to the owner of the table,
in a transaction that has named the record in `vault.reseal`, for a change of the sealed columns alone. Anybody may
set that name; only the owner is the owner.
"""

from django.db import migrations, models

import audit.ledger.ids

MAKE = """
CREATE FUNCTION vault_owner_reseals(relation oid, record uuid, was jsonb, becomes jsonb, VARIADIC sealed text[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT COALESCE(
        current_setting('vault.reseal', true) = record::text
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = relation)
        AND was - sealed = becomes - sealed, false)
$$;

-- What writes an index holds the phase until it commits: a phase begins when nobody writes by the one before.
CREATE FUNCTION vault_index_phase_held() RETURNS TABLE (current_version smallint, coming_version smallint, phase_name text)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7615, 1);
    RETURN QUERY SELECT p.current, p.coming, p.phase::text FROM public.vault_indexphase p;
END $$;
"""
DROP = """
DROP FUNCTION vault_index_phase_held();
DROP FUNCTION vault_owner_reseals(oid, uuid, jsonb, jsonb, text[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("vault", "0002_sealed_files"),
    ]

    operations = [
        migrations.CreateModel(
            name="DestroyedKey",
            fields=[
                ("record_id", models.UUIDField(primary_key=True, serialize=False)),
                ("destroyed_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="IndexPhase",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("current", models.PositiveSmallIntegerField(default=1)),
                ("coming", models.PositiveSmallIntegerField(null=True)),
                (
                    "phase",
                    models.CharField(
                        choices=[("steady", "Steady"), ("filling", "Filling"), ("moving", "Moving"), ("clearing", "Clearing")],
                        default="steady",
                        max_length=10,
                    ),
                ),
                ("since", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="index_phase_is_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("coming", None), ("phase", "steady")),
                            models.Q(("coming__isnull", False), ("phase__in", ["filling", "moving", "clearing"])),
                            _connector="OR",
                        ),
                        name="index_phase_knows_where_it_goes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RetiredKey",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("record_id", models.UUIDField()),
                ("version", models.PositiveSmallIntegerField()),
                ("kek_id", models.CharField(max_length=64)),
                ("wrapped", models.BinaryField()),
                ("retired_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("record_id", "version"), name="retired_key_once_per_version")],
            },
        ),
        migrations.RunSQL(MAKE, DROP),
    ]
