"""Every constraint of every table is named in some test; those without a story of their own are broken here."""

from datetime import date, time
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from audit.ledger import SYSTEM, unit
from scheduling.models import Availability, AvailabilityException, GroupVisit, Occupancy, Opening, VisitType, WaitlistEntry, WaitlistOffer
from telehealth.rest.models import IdempotencyKey
from tests.conformance.samples import NOW, sample
from tests.conformance.source import ROOT

TIMES = {"starts": time(9), "ends": time(17), "rrule": "FREQ=DAILY"}
DAYS = {"first_day": date(2030, 1, 2), "last_day": date(2030, 1, 2), "practitioner": None}
BROKEN: list[tuple[str, type[models.Model], dict[str, Any]]] = [
    ("visit_type_numbers_make_sense", VisitType, {"minutes": 0}),
    ("visit_type_numbers_make_sense", VisitType, {"buffer_before": 121}),
    ("visit_type_numbers_make_sense", VisitType, {"capacity": 0}),
    ("group_visit_ends_after_it_starts", GroupVisit, {"ends_at": NOW}),
    ("group_visit_is_for_several", GroupVisit, {"capacity": 1}),
    ("occupancy_kind_is_known", Occupancy, {"kind": "nobody"}),
    ("occupancy_is_of_one_thing", Occupancy, {"appointment": None}),
    ("availability_recurs", Availability, {**TIMES, "rrule": "FREQ=HOURLY"}),
    ("availability_ends_after_it_starts", Availability, {**TIMES, "ends": time(9)}),
    ("availability_has_days", Availability, {**TIMES, "valid_from": date(2030, 1, 2), "valid_to": date(2030, 1, 1)}),
    ("exception_ends_after_it_starts", AvailabilityException, {**DAYS, "last_day": date(2030, 1, 1)}),
    ("exception_ends_after_it_starts", AvailabilityException, {**DAYS, "starts": time(9), "ends": time(9)}),
    ("exception_extra_is_somebodys", AvailabilityException, {**DAYS, "kind": "extra"}),
    ("exception_kind_is_known", AvailabilityException, {**DAYS, "kind": "maybe"}),
    ("opening_takes_some_time", Opening, {"during": DateTimeTZRange(NOW, NOW)}),
    ("opening_source_is_known", Opening, {"source": "hearsay"}),
    ("waitlist_ends_after_it_starts", WaitlistEntry, {"latest": NOW}),
    ("waitlist_status_is_known", WaitlistEntry, {"status": "bored"}),
    ("waitlist_urgency_is_known", WaitlistEntry, {"urgency": 9}),
    ("waitlist_parts_of_day_are_known", WaitlistEntry, {"parts_of_day": ["morning", "teatime"]}),
    ("waitlist_offer_state_is_known", WaitlistOffer, {"state": "maybe", "answered_at": NOW}),
    ("waitlist_offer_answered_has_its_time", WaitlistOffer, {"state": "declined"}),
    ("waitlist_offer_answered_has_its_time", WaitlistOffer, {"answered_at": NOW}),
]
SOUND = {Availability: TIMES, AvailabilityException: DAYS}


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "model", "values"), BROKEN, ids=lambda each: each if isinstance(each, str) else "")
def test_the_database_refuses(name: str, model: type[models.Model], values: dict[str, Any]) -> None:
    with unit(SYSTEM, channel="task"):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            sample(model, **values)
        sample(model, **SOUND.get(model, {}))  # and takes the same without the mistake


@pytest.mark.django_db
def test_one_idempotency_key_per_actor() -> None:
    first = sample(IdempotencyKey)
    again = {field.attname: getattr(first, field.attname) for field in first._meta.concrete_fields if not field.primary_key}
    with pytest.raises(IntegrityError, match="idempotencykey_one_per_actor_and_key"), transaction.atomic():
        IdempotencyKey.objects.create(**again)


def test_each_constraint_is_named_in_a_test() -> None:
    ours = {"audit", "core", "rest", "portal", "vault", "accounts", "outbox", "records", "review", "scheduling", "consults", "prescribing"}
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    named = {each.name for model in apps.get_models() if model._meta.app_label in ours for each in model._meta.constraints}
    assert sorted(name for name in named if name not in tests) == []
