"""The breach rule's arithmetic (45 CFR 164.404-412): who must be told, and by when. Pure.

More than 500 residents of one state: the media. 500 or more people in all: the Secretary at once, else by the yearly log.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from audit.review.models.incidents import Notice

SIXTY_DAYS = timedelta(days=60)
MEDIA_ABOVE = 500  # residents of one state
SECRETARY_FROM = 500  # people in all
REMINDERS = (30, 45, 55)  # days since the discovery


@dataclass(frozen=True)
class Duty:
    """One notice that is owed."""

    notice: Notice
    due_on: date
    cite: str
    states: tuple[str, ...] = ()


def duties(people: int, states: Mapping[str, int], discovered_on: date, delayed_until: date | None = None) -> list[Duty]:
    """The notices owed for a breach of so many people, so many of each state. `states` without code "": not known where."""
    return [_delayed(duty, delayed_until) for duty in _undelayed(people, states, discovered_on)] if people else []


def _undelayed(people: int, states: Mapping[str, int], discovered_on: date) -> Iterator[Duty]:
    soon = discovered_on + SIXTY_DAYS
    yield Duty(Notice.INDIVIDUALS, soon, "164.404(b)")
    if many := tuple(sorted(code for code, count in states.items() if code and count > MEDIA_ABOVE)):
        yield Duty(Notice.MEDIA, soon, "164.406(b)", many)
    if people >= SECRETARY_FROM:
        yield Duty(Notice.SECRETARY, soon, "164.408(b)")
    else:
        yield Duty(Notice.SECRETARY, date(discovered_on.year, 12, 31) + SIXTY_DAYS, "164.408(c)")


def _delayed(duty: Duty, until: date | None) -> Duty:
    """164.412: while law enforcement asks for silence nothing is due."""
    return duty if until is None or until <= duty.due_on else Duty(duty.notice, until, duty.cite, duty.states)


def day_reached(discovered_on: date, today: date) -> int:
    """The last reminder's day that has come; 0 before the first."""
    passed = (today - discovered_on).days
    return max((day for day in REMINDERS if day <= passed), default=0)
