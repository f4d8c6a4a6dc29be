"""Under which versions of the index root blind indexes are written and looked up, while that root changes.

Each index has a second column, filled only meanwhile. The phases are (v the former version, w the coming one):

| phase    | the column holds | beside it | unique by  | written      | looked up |
| steady   | v                | nothing   | the column | v, nothing   | v         |
| filling  | v                | w, slowly | the column | v, w         | v or w    |
| moving   | v, slowly w      | w         | beside it  | w, w         | v or w    |
| clearing | w                | w, slowly nothing | the column | w, nothing | v or w |

Whoever writes an index holds the phase until the commit, so a phase begins when nobody writes by the one before. For looking
up, a phase some seconds old will do: `reindexing` waits that long before the first value moves.
"""

import time
from dataclasses import dataclass

from django.db import connection, transaction

KNOWN_SECONDS = 5.0
STEADY, FILLING, MOVING, CLEARING = "steady", "filling", "moving", "clearing"


@dataclass(frozen=True)
class Phase:
    """Where we are."""

    current: int = 1
    coming: int | None = None
    name: str = STEADY

    @property
    def looked_up(self) -> tuple[int, ...]:
        """The versions that a row may be found by."""
        return (self.current,) if self.coming is None else (self.current, self.coming)

    @property
    def written(self) -> int:
        """The version for the index's own column."""
        return self.coming if self.coming is not None and self.name in (MOVING, CLEARING) else self.current

    @property
    def beside(self) -> int | None:
        """The version for the column beside it, if anything belongs there now."""
        return self.coming if self.name in (FILLING, MOVING) else None


class _Held:
    """The phase as held by a transaction that is still open: the hook goes when its savepoint rolls back, as the lock does."""

    __slots__ = ("phase",)

    def __init__(self, phase: Phase) -> None:
        self.phase = phase

    def __call__(self) -> None:
        """Nothing to do on commit."""


_known: list[tuple[float, Phase]] = []


def forget() -> None:
    """As in a process that has just begun."""
    _known.clear()


def known() -> Phase:
    """The phase, at most five seconds old."""
    if not _known or _known[0][0] < time.monotonic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current, coming, phase FROM vault_indexphase")
            _known[:] = [(time.monotonic() + KNOWN_SECONDS, _read(cursor.fetchone()))]
    return _known[0][1]


def held() -> Phase:
    """The phase, which does not change before the caller's transaction ends."""
    for _, hook, *_ in connection.run_on_commit:
        if isinstance(hook, _Held):
            return hook.phase
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_version, coming_version, phase_name FROM vault_index_phase_held()")
        phase = _read(cursor.fetchone())
    transaction.on_commit(_Held(phase))
    return phase


def _read(row: tuple[int, int | None, str] | None) -> Phase:
    return Phase(*row) if row else Phase()
