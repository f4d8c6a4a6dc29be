"""Openings: written when hours change, far enough ahead, and again when the world's clocks change."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.ledger import SYSTEM, Act, unit
from scheduling import selectors, services
from scheduling.errors import HoursEmpty, OutsideHours, RuleNeedsStart, RuleNotSupported
from scheduling.models import Availability, Opening, Schedule
from scheduling.recurrence import normal
from scheduling.services.expanding import expand
from scheduling.tasks import keep_expanded
from scheduling.zones import InstalledZones
from telehealth.core import now
from telehealth.core.errors import Refused
from tests.people import Acts, MakeAccount
from tests.scheduling.conftest import ZONE, Clinic


class Before:
    """A database of a time at which New York was seven hours behind, all year."""

    version = "1883z"

    def zone(self, name: str) -> tzinfo:
        assert name == ZONE
        return timezone(timedelta(hours=-7))


def nine_to_five(clinic: Clinic, **changed: Any) -> Availability:
    """Dr Dee's only hours."""
    for hours in Availability.objects.filter(practitioner=clinic.dr_dee):
        services.close_hours(availability_id=hours.pk, by=SYSTEM)
    usual = {"rrule": "FREQ=DAILY", "starts": time(9), "ends": time(17), "timezone": ZONE, "by": SYSTEM}
    return services.open_hours(practitioner_id=clinic.dr_dee.pk, **{**usual, **changed})


def opens_at(clinic: Clinic) -> set[int]:
    """At which hours of New York's clock Dr Dee's openings of the days to come start."""
    rows = Opening.objects.filter(practitioner=clinic.dr_dee, opens=True, during__startswith__gte=now())
    return {row.during.lower.astimezone(ZoneInfo(ZONE)).hour for row in rows}


def test_a_new_time_zone_database_is_expanded_anew(clinic: Clinic, acts: Acts) -> None:
    nine_to_five(clinic)
    expand(practitioner_id=clinic.dr_dee.pk, by=SYSTEM, zones=Before())
    before = Schedule.objects.get(practitioner=clinic.dr_dee)
    assert (before.tz_version, 9 in opens_at(clinic)) == ("1883z", False)
    assert selectors.schedules_due() == [clinic.dr_dee.pk]

    keep_expanded()

    after = Schedule.objects.get(practitioner=clinic.dr_dee)
    assert (after.tz_version, after.version) == (InstalledZones().version, before.version + 1)
    assert opens_at(clinic) == {9}  # summer and winter
    assert selectors.schedules_due() == []
    assert Act.HOURS_EXPANDED in acts()


def test_hours_that_change_under_an_old_database_are_right_at_once(clinic: Clinic) -> None:
    nine_to_five(clinic)
    expand(practitioner_id=clinic.dr_dee.pk, by=SYSTEM, zones=Before())
    nine_to_five(clinic, starts=time(11))
    assert opens_at(clinic) == {11}


def test_hours_reach_beyond_what_can_be_booked_and_are_extended(clinic: Clinic) -> None:
    reach = Schedule.objects.get(practitioner=clinic.dr_dee)
    assert reach.expanded_until > now() + timedelta(days=90)
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes={"horizon_days": 400}, by=SYSTEM)
    far = clinic.start(60 * 24 * 398)
    with pytest.raises(OutsideHours):
        services.book(**clinic.wish() | {"starts_at": far})
    assert clinic.dr_dee.pk in selectors.schedules_due()

    keep_expanded()

    assert services.book(**clinic.wish() | {"starts_at": far}).starts_at == far
    Schedule.objects.update(expanded_until=now() + timedelta(days=405))
    assert set(selectors.schedules_due()) == {clinic.dr_cho.pk, clinic.dr_dee.pk}


def test_the_installed_database_says_which_it_is() -> None:
    assert InstalledZones().version[:2] == "20"
    assert InstalledZones().zone(ZONE).utcoffset(datetime(2026, 7, 1)) == timedelta(hours=-4)


def test_only_for_some_visit_types(clinic: Clinic) -> None:
    nine_to_five(clinic, visit_types=("video-30",))
    found = {}
    for kind in ("video-10", "video-30"):
        page = selectors.slots(SYSTEM, visit_type=kind, since=clinic.start(), practitioner_id=clinic.dr_dee.pk, zone=ZoneInfo(ZONE))
        found[kind] = len(page.offers)
    assert found["video-10"] == 0 < found["video-30"]
    with pytest.raises(OutsideHours):
        services.book(**clinic.wish() | {"practitioner_id": clinic.dr_dee.pk})


def test_expanding_is_for_who_may_set_hours(clinic: Clinic, make_account: MakeAccount) -> None:
    with pytest.raises(Refused):
        services.expand(practitioner_id=clinic.dr_dee.pk, by=clinic.cho.by)
    with unit(SYSTEM, channel="command"):
        services.expand(practitioner_id=clinic.dr_dee.pk, by=make_account("administrator").by)


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "nonsense",
        "FREQ=YEARLY",
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;UNTIL=20300101T000000Z",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=3",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY\nEXDATE:20260101",
        "DTSTART:20260101\nRRULE:FREQ=DAILY",
        "FREQ=DAILY;BYEASTER=0",
        "FREQ=WEEKLY;BYDAY=" + ",".join(["MO"] * 8),
        "FREQ=DAILY;COUNT=\uff11",
    ],
)
def test_rules_that_hours_cannot_have(rule: str) -> None:
    with pytest.raises(RuleNotSupported):
        normal(rule, valid_from=date(2026, 1, 1), valid_to=None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("rrule:byday=mo,we;freq=weekly", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("FREQ=DAILY;INTERVAL=1", "FREQ=DAILY"),
        ("FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
    ],
)
def test_a_rule_has_one_spelling(given: str, kept: str) -> None:
    assert normal(given, valid_from=None, valid_to=None) == kept


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;INTERVAL=2", "FREQ=DAILY;COUNT=5", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"]
)
def test_who_counts_needs_a_first_day(rule: str) -> None:
    with pytest.raises(RuleNeedsStart):
        normal(rule, valid_from=None, valid_to=None)
    assert normal(rule, valid_from=date(2026, 1, 1), valid_to=None)
    with pytest.raises(HoursEmpty):
        normal(rule, valid_from=date(2026, 1, 2), valid_to=date(2026, 1, 1))


def test_every_other_week_counts_from_the_first_day(clinic: Clinic) -> None:
    first = now().astimezone(ZoneInfo(ZONE)).date() + timedelta(days=7)
    nine_to_five(clinic, rrule="FREQ=WEEKLY;INTERVAL=2", valid_from=first)
    rows = Opening.objects.filter(practitioner=clinic.dr_dee).order_by("during")
    days = [row.during.lower.astimezone(UTC).date() for row in rows]
    assert days[:4] == [first + timedelta(days=14 * n) for n in range(4)]
