"""What a detector says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from audit.review.detectors.looks import Look, Pair
from audit.review.models import REVIEW, Detector


@dataclass(frozen=True, slots=True)
class Hit:
    """A cause to ask, by the first look that gave it; `facts` are codes and counts."""

    detector: Detector
    look: Look
    record: UUID
    last_entry_id: UUID
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def on_record(cls, detector: Detector, pair: Pair, **facts: str | int) -> Self:
        """About one record."""
        return cls(detector, pair.first, pair.first.record, pair.last_entry_id, facts)

    @classmethod
    def on_actor(cls, detector: Detector, looks: list[Look], **facts: str | int) -> Self:
        """About somebody's day, not about one record."""
        return cls(detector, looks[0], REVIEW, looks[-1].entry_id, facts)
