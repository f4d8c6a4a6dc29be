"""Legal holds, destructions of records, and the trigger that keeps the key of a record on hold."""

import django.db.models.deletion
from django.db import migrations, models

import audit.ledger.ids
import telehealth.vault.fields

MAKE = """
CREATE FUNCTION records_hold_keeps_the_key() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF EXISTS (SELECT FROM public.records_legalhold WHERE patient_id = OLD.record_id AND lifted_at IS NULL) THEN
        RAISE EXCEPTION 'a legal hold keeps this record' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hold_keeps_the_key';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER hold_keeps_the_key BEFORE DELETE ON vault_recordkey FOR EACH ROW EXECUTE FUNCTION records_hold_keeps_the_key();
"""
DROP = """
DROP TRIGGER hold_keeps_the_key ON vault_recordkey;
DROP FUNCTION records_hold_keeps_the_key();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("vault", "0003_keys_in_versions"),
        ("records", "0006_sensitive_categories"),
    ]

    operations = [
        migrations.CreateModel(
            name="Destruction",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("retention_over", "The time for which it must be kept is over"),
                            ("court_order", "A court's order"),
                            ("person_asked", "The person asked for it, and the law allows it"),
                            ("made_in_error", "It was made in error"),
                        ],
                        max_length=16,
                        verbose_name="reason",
                    ),
                ),
                ("why", telehealth.vault.fields.SealedTextField(editable=False, verbose_name="in words")),
                ("requested_by", models.UUIDField()),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("approved_by", models.UUIDField(null=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "destruction of a record",
                "verbose_name_plural": "destructions of records",
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "code",
                    models.CharField(
                        choices=[("litigation", "Litigation"), ("investigation", "Investigation"), ("audit", "Audit"), ("other", "Other")],
                        max_length=16,
                        verbose_name="reason",
                    ),
                ),
                ("why", telehealth.vault.fields.SealedTextField(editable=False, verbose_name="in words")),
                ("placed_by", models.UUIDField()),
                ("placed_at", models.DateTimeField(auto_now_add=True)),
                ("lifted_by", models.UUIDField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "legal hold",
                "verbose_name_plural": "legal holds",
            },
        ),
        migrations.AddField(
            model_name="patient",
            name="destroyed_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(condition=models.Q(("destroyed_at__isnull", False)), fields=["id"], name="patient_destroyed"),
        ),
        migrations.AddField(
            model_name="destruction",
            name="patient",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="destructions", to="records.patient"),
        ),
        migrations.AddField(
            model_name="legalhold",
            name="patient",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="records.patient"),
        ),
        migrations.AddConstraint(
            model_name="destruction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None), models.Q(("approved_by", models.F("requested_by")), _negated=True), _connector="OR"
                ),
                name="destruction_takes_two_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="destruction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at", None), ("approved_by", None)),
                    models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                    _connector="OR",
                ),
                name="destruction_is_approved_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="destruction",
            constraint=models.CheckConstraint(
                condition=models.Q(("done_at", None), models.Q(("approved_at__isnull", False), ("withdrawn_at", None)), _connector="OR"),
                name="destruction_is_done_when_approved_and_not_withdrawn",
            ),
        ),
        migrations.AddConstraint(
            model_name="destruction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at", None)), fields=("patient",), name="destruction_once_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at", None), ("lifted_by", None)),
                    models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                    _connector="OR",
                ),
                name="hold_is_lifted_by_somebody",
            ),
        ),
        migrations.RunSQL(MAKE, DROP),
    ]
