"""What is unlike the actor: more records than on their other days, or at hours when they do not work."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from math import ceil
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from audit.ledger import Act
from audit.ledger.ids import first_id_at
from audit.review.detectors.hits import Hit
from audit.review.detectors.looks import Look
from audit.review.detectors.scene import Scene
from audit.review.models import Detector
from telehealth.accounts.access import Role

HABIT_DAYS = 28
FEWEST_DAYS = 5  # below, there is no habit yet
NEVER_BELOW = 30
NEWCOMER = 60
SPREADS = 4

Counts = Mapping[tuple[UUID, date], int]

_COUNTS = """
    SELECT actor_id, (timezone(%s, "timestamp"))::date, count(DISTINCT record_id) FROM audit_entry
    WHERE actor_id = ANY(%s) AND id >= %s AND id < %s AND act = %s AND record_id IS NOT NULL GROUP BY 1, 2
"""


def volume(scene: Scene) -> Iterator[Hit]:
    """Far more records in a day than this person opens on theirs."""
    today = _by_day(look for look in scene.looks if look.is_by_staff and look.role != Role.PRIVACY_OFFICER)
    counts = {key: count for key, count in _counted(today).items() if key in today and count > NEVER_BELOW}
    habits = _counted(counts, before=HABIT_DAYS)
    for (actor, day), count in counts.items():
        limit = limit_of([habits[actor, each] for each in _days_before(day) if (actor, each) in habits])
        if count > limit:
            yield Hit.on_actor(Detector.VOLUME, today[actor, day], opened=count, limit=limit)


def limit_of(habit: Sequence[int]) -> int:
    """How many records in a day are still usual: four spreads above the middle of one's own days, and at least twice it."""
    if len(habit) < FEWEST_DAYS:
        return NEWCOMER
    middle = median(habit)
    spread = 1.4826 * median(abs(count - middle) for count in habit)  # a normal deviation, deaf to single wild days
    return max(NEVER_BELOW, ceil(2 * middle), ceil(middle + SPREADS * spread))


def off_hours(scene: Scene) -> Iterator[Hit]:
    """When the clinic is closed and this person is not on duty."""
    on_duty = cache(_on_duty)
    late = (look for look in scene.looks if look.is_by_staff and not is_open(look.at))
    outside = (look for look in late if not on_duty(look.actor, look.at.replace(minute=look.at.minute // 15 * 15, second=0, microsecond=0)))
    for looks in _by_day(outside).values():
        yield Hit.on_actor(Detector.OFF_HOURS, looks, opened=len({look.record for look in looks}))


def is_open(at: datetime) -> bool:
    """By `CLINIC_DAYS` (Monday is 0), `CLINIC_OPENS` and `CLINIC_CLOSES`; past
    midnight when it closes before it opens, always when they are equal."""
    here = at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE))
    opens, closes = time.fromisoformat(settings.CLINIC_OPENS), time.fromisoformat(settings.CLINIC_CLOSES)
    if opens < closes:
        return here.weekday() in settings.CLINIC_DAYS and opens <= here.time() < closes
    began = here if here.time() >= opens else here - timedelta(days=1)
    return began.weekday() in settings.CLINIC_DAYS and (here.time() >= opens or here.time() < closes)


def _on_duty(account: UUID, at: datetime) -> bool:
    path = settings.REVIEW_ON_DUTY
    ask: Callable[[UUID, datetime], bool] | None = import_string(path) if path else None
    return ask is not None and ask(account, at)


def _by_day(looks: Iterator[Look]) -> dict[tuple[UUID, date], list[Look]]:
    found: dict[tuple[UUID, date], list[Look]] = defaultdict(list)
    for look in looks:
        found[look.actor, look.day].append(look)
    return found


def _days_before(day: date) -> list[date]:
    return [day - timedelta(days=back) for back in range(1, HABIT_DAYS + 1)]


def _counted(keys: Collection[tuple[UUID, date]], before: int = 0) -> Counts:
    """Records opened by these actors on these days, and on so many days before the first."""
    if not keys:
        return {}
    days = [day for _, day in keys]
    zone = ZoneInfo(settings.CLINIC_TIME_ZONE)
    since = datetime.combine(min(days) - timedelta(days=before), time.min, zone)
    until = datetime.combine(max(days) + timedelta(days=1), time.min, zone)
    given: list[Any] = [
        settings.CLINIC_TIME_ZONE,
        list({actor for actor, _ in keys}),
        first_id_at(since),
        first_id_at(until),
        str(Act.RECORD_OPENED),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, given)
        return {(actor, day): count for actor, day, count in cursor.fetchall()}
