"""Where the rules of the world's clocks come from. Read afresh, so that a process that runs for months does not expand by old ones."""

import zoneinfo
from datetime import tzinfo
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Protocol

VERSION = "# version "
UNNAMED = "unnamed"


class Zones(Protocol):
    """A time zone database: which one, and its zones."""

    @property
    def version(self) -> str:
        """What it calls itself ("2026f"): hours that were expanded by another are expanded again."""
        ...

    def zone(self, name: str) -> tzinfo:
        """One zone by its IANA name."""
        ...


class InstalledZones:
    """The database that Python finds: the system's, else the package `tzdata`. Good for one expansion, in which a zone is read once."""

    def __init__(self) -> None:
        self._read: dict[str, tzinfo] = {}

    @property
    def version(self) -> str:
        """As the database says it, in the first place where Python looks for zones and finds them."""
        for folder in map(Path, zoneinfo.TZPATH):
            if (folder / "UTC").is_file():
                return _version(folder / "tzdata.zi")
        return _version(files("tzdata") / "zoneinfo" / "tzdata.zi")

    def zone(self, name: str) -> tzinfo:
        """From the files, not from what this process read when it started."""
        if name not in self._read:
            self._read[name] = zoneinfo.ZoneInfo.no_cache(name)
        return self._read[name]


def _version(told: Traversable) -> str:
    if not told.is_file():
        return UNNAMED
    with told.open() as lines:
        first = next(iter(lines), "")
    return first.removeprefix(VERSION).strip()[:20] if first.startswith(VERSION) else UNNAMED
