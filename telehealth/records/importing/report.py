"""What became of every entry of a bundle: stored, updated, unchanged, or not stored and why. Counts and codes only."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID


@dataclass
class Report:
    """Stored, updated, unchanged and the problems that are not `kept` add up to the number of entries."""

    patient: UUID
    created: bool = False
    deceased: bool = False
    minor: bool | None = None  # None: the birth date does not tell
    stored: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)  # (type, reason): not stored
    noted: Counter[tuple[str, str]] = field(default_factory=Counter)  # (type, reason): stored as it is

    def problems(self) -> list[dict[str, str | int | bool]]:
        """Each kind of problem once, with its count; `kept` tells whether the resource was stored all the same."""
        found = [(key, count, False) for key, count in self.refused.items()]
        found += [(key, count, True) for key, count in self.noted.items()]
        return [{"type": kind, "reason": reason, "count": count, "kept": kept} for (kind, reason), count, kept in sorted(found)]
