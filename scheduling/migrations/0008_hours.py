"""Hours become RFC 5545 recurrences, and are expanded into openings. What there is stays: a weekday is a rule of one day a week.

One way: an older version knows weekdays only.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import audit.ledger.ids

RULES = """
UPDATE scheduling_availability
SET rrule = 'FREQ=WEEKLY;BYDAY=' || (ARRAY['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'])[weekday + 1]
"""
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
AHEAD = 93


def expand(apps: Any, schema_editor: Any) -> None:
    """Enough to go on offering at once. The clock finds the schedules without a version, and expands them again by the book."""
    models_of = (apps.get_model("scheduling", name) for name in ("Availability", "Schedule", "Opening"))
    availability, schedule, opening = (model.objects.using(schema_editor.connection.alias) for model in models_of)
    today = datetime.now(UTC).date()
    until = datetime.combine(today + timedelta(days=AHEAD), time.min, UTC)
    for practitioner in availability.order_by().values_list("practitioner", flat=True).distinct():
        schedule.create(practitioner_id=practitioner, expanded_until=until, tz_version="")
    for row in availability.all():
        spans = (_span(row, today + timedelta(days=n)) for n in range(-2, AHEAD))
        given = {"practitioner_id": row.practitioner_id, "opens": True, "source": "rule", "source_id": row.pk}
        opening.bulk_create(opening.model(during=span, **given) for span in spans if span)


def _span(row: Any, day: date) -> tuple[datetime, datetime] | None:
    in_force = (row.valid_from is None or row.valid_from <= day) and (row.valid_to is None or day <= row.valid_to)
    if not in_force or DAYS[day.weekday()] != row.rrule[-2:]:
        return None
    last, zone = day + timedelta(days=row.ends == time.min), ZoneInfo(row.timezone)
    start, end = (datetime.combine(on, at, zone).astimezone(UTC) for on, at in ((day, row.starts), (last, row.ends)))
    return (start, end) if start < end else None


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0010_consents_over"),
        ("scheduling", "0007_reminders"),
    ]

    operations = [
        migrations.CreateModel(
            name="AvailabilityException",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("off", "Not there"), ("extra", "There in addition")], default="off", max_length=8)),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("vacation", "Vacation"),
                            ("sick", "Sick"),
                            ("training", "Training"),
                            ("meeting", "Meeting"),
                            ("holiday", "Public holiday"),
                            ("maintenance", "Maintenance"),
                            ("blocked", "Kept free"),
                            ("demand", "More is asked for"),
                            ("other", "Another reason"),
                        ],
                        max_length=16,
                    ),
                ),
                ("first_day", models.DateField()),
                ("starts", models.TimeField(default="00:00")),
                ("last_day", models.DateField()),
                ("ends", models.TimeField(default="00:00", help_text="00:00 is midnight at the end of the last day.")),
                ("timezone", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Opening",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ("opens", models.BooleanField()),
                (
                    "source",
                    models.CharField(choices=[("rule", "Hours"), ("exception", "Exception"), ("calendar", "Calendar")], max_length=12),
                ),
                ("source_id", models.UUIDField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.UUIDField(default=audit.ledger.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("expanded_until", models.DateTimeField()),
                ("tz_version", models.CharField(max_length=20)),
                ("version", models.PositiveIntegerField(default=1)),
            ],
        ),
        migrations.AddField(
            model_name="availability",
            name="rrule",
            field=models.CharField(
                default="", help_text="RFC 5545 recurrence, as FREQ=WEEKLY;BYDAY=MO,TU; it counts from the first day.", max_length=200
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name="availability",
            name="availability_on_a_weekday",
        ),
        migrations.RemoveField(
            model_name="availability",
            name="weekday",
        ),
        migrations.AddField(
            model_name="availability",
            name="visit_types",
            field=models.ManyToManyField(
                blank=True, help_text="Only for these; none: for all.", related_name="+", to="scheduling.visittype"
            ),
        ),
        migrations.AlterField(
            model_name="availability",
            name="valid_from",
            field=models.DateField(blank=True, help_text="The first day.", null=True),
        ),
        migrations.AddConstraint(
            model_name="availability",
            constraint=models.CheckConstraint(
                condition=models.Q(("rrule__regex", "^FREQ=(DAILY|WEEKLY|MONTHLY)(;|$)")), name="availability_recurs"
            ),
        ),
        migrations.AddField(
            model_name="availabilityexception",
            name="practitioner",
            field=models.ForeignKey(
                blank=True,
                help_text="None: the whole clinic.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="exceptions",
                to="records.practitioner",
            ),
        ),
        migrations.AddField(
            model_name="availabilityexception",
            name="visit_types",
            field=models.ManyToManyField(
                blank=True, help_text="Only for these; none: for all.", related_name="+", to="scheduling.visittype"
            ),
        ),
        migrations.AddField(
            model_name="opening",
            name="practitioner",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="openings", to="records.practitioner"
            ),
        ),
        migrations.AddField(
            model_name="opening",
            name="visit_type",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="scheduling.visittype"
            ),
        ),
        migrations.AddField(
            model_name="schedule",
            name="practitioner",
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="schedule", to="records.practitioner"),
        ),
        migrations.AddConstraint(
            model_name="availabilityexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("last_day__gt", models.F("first_day")),
                    models.Q(
                        ("last_day", models.F("first_day")), models.Q(("ends", "00:00"), ("ends__gt", models.F("starts")), _connector="OR")
                    ),
                    _connector="OR",
                ),
                name="exception_ends_after_it_starts",
            ),
        ),
        migrations.AddConstraint(
            model_name="availabilityexception",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("kind", "extra"), _negated=True), ("practitioner__isnull", False), _connector="OR"),
                name="exception_extra_is_somebodys",
            ),
        ),
        migrations.AddConstraint(
            model_name="availabilityexception",
            constraint=models.CheckConstraint(condition=models.Q(("kind__in", ["off", "extra"])), name="exception_kind_is_known"),
        ),
        migrations.AddIndex(
            model_name="opening",
            index=django.contrib.postgres.indexes.GistIndex(fields=["practitioner", "during"], name="opening_by_provider"),
        ),
        migrations.AddConstraint(
            model_name="opening",
            constraint=models.CheckConstraint(condition=models.Q(("during__isempty", False)), name="opening_takes_some_time"),
        ),
        migrations.AddConstraint(
            model_name="opening",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["rule", "exception", "calendar"])), name="opening_source_is_known"
            ),
        ),
        migrations.RunPython(expand),
    ]
