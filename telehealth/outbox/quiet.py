"""Quiet hours by a person's own clock. Pure values."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

MARGIN = timedelta(minutes=30)
"""So long before the quiet hours begin is early enough to be through by then."""


@dataclass(frozen=True)
class Quiet:
    """From one clock time to another, over midnight or not; never when both are the same."""

    starts: time
    ends: time
    zone: tzinfo

    def holds(self, at: datetime) -> bool:
        """Whether it is quiet at this moment."""
        clock = at.astimezone(self.zone).time()
        if self.starts <= self.ends:
            return self.starts <= clock < self.ends
        return clock >= self.starts or clock < self.ends

    def before(self, at: datetime) -> datetime:
        """The moment itself; when that is quiet, a little before the quiet hours that it falls into."""
        return self._instant(self._begun(at), self.starts) - MARGIN if self.holds(at) else at

    def after(self, at: datetime) -> datetime:
        """The moment itself; when that is quiet, the end of the quiet hours that it falls into."""
        if not self.holds(at):
            return at
        day = self._begun(at) + timedelta(days=self.ends < self.starts)
        end = self._instant(day, self.ends)
        # The clock shows it twice, and it is quiet again before the second time.
        return end if end > at else self._instant(day, self.ends.replace(fold=1))

    def _begun(self, at: datetime) -> date:
        """The day on which the quiet hours around this moment began."""
        local = at.astimezone(self.zone)
        since_yesterday = self.ends < self.starts and local.time() < self.ends
        return local.date() - timedelta(days=since_yesterday)

    def _instant(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


def due(at: datetime, start: datetime, quiet: Quiet, current: datetime) -> datetime | None:
    """When to say at about `at` what must be said before `start`: earlier than the night, or if that is over after it;
    None where neither is before the start."""
    wanted = max(at, current)
    early = max(quiet.before(wanted), current)
    chosen = quiet.after(wanted) if quiet.holds(early) else early
    return chosen if chosen < start else None
