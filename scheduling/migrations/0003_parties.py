import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import audit.ledger.ids
import telehealth.vault.fields

KINDS = """
UPDATE scheduling_occupancy o
SET kind = CASE WHEN o.party = a.patient_id THEN 'patient' ELSE 'provider' END
FROM scheduling_appointment a
WHERE a.id = o.appointment_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0009_index_roots"),
        ("scheduling", "0002_holds_its_time"),
    ]

    operations = [
        migrations.CreateModel(
            name="AppointmentSeries",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("rule", models.CharField(help_text="RFC 5545 recurrence, in the provider's zone.", max_length=200)),
                ("created_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="BookableResource",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("interpreter", "Interpreter"), ("room", "Room")], max_length=12)),
                ("name", models.CharField(max_length=100)),
                ("account_id", models.UUIDField(blank=True, null=True, unique=True)),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        default=list,
                        help_text="BCP 47, of an interpreter.",
                        size=None,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="GroupVisit",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("capacity", models.PositiveSmallIntegerField()),
                ("is_cancelled", models.BooleanField(default=False)),
                ("created_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="appointment",
            name="appointment_cancelled_for_a_reason",
        ),
        migrations.RemoveConstraint(
            model_name="visittype",
            name="visit_type_numbers_make_sense",
        ),
        migrations.AddField(
            model_name="appointment",
            name="cancelled_late",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="appointment",
            name="cancelled_note",
            field=telehealth.vault.fields.SealedTextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="appointment",
            name="confirmed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="appointment",
            name="patient_state",
            field=models.CharField(blank=True, help_text="Where the patient will be: the state's postal code.", max_length=2),
        ),
        migrations.AddField(
            model_name="appointment",
            name="sequence",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="occupancy",
            name="kind",
            field=models.CharField(
                choices=[("provider", "Provider"), ("patient", "Patient"), ("interpreter", "Interpreter"), ("room", "Room")],
                default="",
                max_length=12,
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(KINDS, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="visittype",
            name="cancel_notice_minutes",
            field=models.PositiveIntegerField(default=0, help_text="Before the start; a patient who cancels later is late."),
        ),
        migrations.AddField(
            model_name="visittype",
            name="capacity",
            field=models.PositiveSmallIntegerField(default=1, help_text="More than one: a group visit, its time taken once for all."),
        ),
        migrations.AddField(
            model_name="visittype",
            name="late_cancel",
            field=models.CharField(
                choices=[("flag", "Cancelled, and noted as late"), ("refuse", "Refused: call the clinic")], default="flag", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="visittype",
            name="most_per_day",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Of this kind, for one provider, by the provider's days.", null=True
            ),
        ),
        migrations.AddField(
            model_name="visittype",
            name="needs",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=[("interpreter", "Interpreter"), ("room", "Room")], max_length=12),
                blank=True,
                default=list,
                help_text="One of each is booked with the visit.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="visittype",
            name="price_code",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="visittype",
            name="questionnaire",
            field=models.CharField(blank=True, help_text="Canonical address of the FHIR Questionnaire to fill in before.", max_length=200),
        ),
        migrations.AddField(
            model_name="visittype",
            name="who_may_book",
            field=models.CharField(
                choices=[
                    ("anyone", "Anyone"),
                    ("established", "Patients who were seen here before"),
                    ("new", "Patients who are new here"),
                    ("staff", "Staff only"),
                ],
                default="anyone",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="cancelled_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("pat", "The patient asked"),
                    ("pat-fb", "The patient feels better"),
                    ("pat-dec", "The patient has died"),
                    ("prov", "The provider asked"),
                    ("maint", "Equipment or maintenance"),
                    ("oth-err", "Booked by mistake"),
                    ("oth-weath", "Weather"),
                    ("hold-expired", "Held, and not confirmed in time"),
                    ("series", "Its series was called off"),
                    ("other", "Another reason"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="occupancy",
            name="appointment",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="occupancies", to="scheduling.appointment"
            ),
        ),
        migrations.AddConstraint(
            model_name="visittype",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("horizon_days__range", (1, 730)),
                    ("minutes__range", (5, 480)),
                    ("step_minutes__range", (5, 480)),
                    ("buffer_after__lte", 120),
                    ("buffer_before__lte", 120),
                    ("lead_minutes__lte", 43200),
                    ("cancel_notice_minutes__lte", 43200),
                    ("capacity__range", (1, 200)),
                    models.Q(("most_per_day", None), ("most_per_day__gte", 1), _connector="OR"),
                ),
                name="visit_type_numbers_make_sense",
            ),
        ),
        migrations.AddField(
            model_name="appointment",
            name="series",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="appointments", to="scheduling.appointmentseries"
            ),
        ),
        migrations.AddField(
            model_name="groupvisit",
            name="practitioner",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="group_visits", to="records.practitioner"),
        ),
        migrations.AddField(
            model_name="groupvisit",
            name="visit_type",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="group_visits", to="scheduling.visittype"),
        ),
        migrations.AddField(
            model_name="appointment",
            name="group_visit",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="appointments", to="scheduling.groupvisit"
            ),
        ),
        migrations.AddField(
            model_name="occupancy",
            name="group_visit",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="occupancies", to="scheduling.groupvisit"
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "cancelled_reason__in",
                            ["pat", "pat-fb", "pat-dec", "prov", "maint", "oth-err", "oth-weath", "hold-expired", "series", "other"],
                        ),
                        ("status", "cancelled"),
                    ),
                    models.Q(models.Q(("status", "cancelled"), _negated=True), ("cancelled_reason", "")),
                    _connector="OR",
                ),
                name="appointment_cancelled_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="occupancy",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["provider", "patient", "interpreter", "room"])), name="occupancy_kind_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="occupancy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("appointment__isnull", False), ("group_visit", None)),
                    models.Q(("appointment", None), ("group_visit__isnull", False)),
                    _connector="OR",
                ),
                name="occupancy_is_of_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="groupvisit",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="group_visit_ends_after_it_starts"
            ),
        ),
        migrations.AddConstraint(
            model_name="groupvisit",
            constraint=models.CheckConstraint(condition=models.Q(("capacity__gte", 2)), name="group_visit_is_for_several"),
        ),
    ]
