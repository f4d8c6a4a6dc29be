"""Detectors: each looks at a stretch of the log and says which looks at records ask for a reason.

Names and addresses compare by keyed digests, and what those leave open inside the vault: nothing is opened.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from audit.review.detectors.habits import off_hours, volume
from audit.review.detectors.hits import Hit
from audit.review.detectors.reasons import emergency, no_relationship
from audit.review.detectors.relations import colleague, own_record, same_address, same_surname
from audit.review.detectors.scene import Scene

Detect = Callable[[Scene], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Detectors that read on together, from a watermark of their own; `settled` ones stay behind the clock."""

    detectors: tuple[Detect, ...]
    settled: bool = False

    @property
    def behind(self) -> timedelta:
        """How old an entry must be."""
        return timedelta(minutes=settings.REVIEW_SETTLES_MINUTES if self.settled else 0)


READERS: Mapping[str, Reader] = {
    "at once": Reader((emergency, own_record, same_surname, same_address, colleague)),
    # What somebody does afterwards may give the reason: the desk opens a record first and books then.
    "settled": Reader((no_relationship, volume, off_hours), settled=True),
}

__all__ = ["READERS", "Hit", "Reader", "Scene"]
