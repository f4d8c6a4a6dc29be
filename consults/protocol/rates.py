"""How much one device may say: a bucket per message type, and strikes that end the patience. Pure; time comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# type: (burst, refill per second). A call needs some 30 candidates and a few descriptions; a restart the same again.
RATES: Final[Mapping[str, tuple[int, float]]] = {
    "join": (5, 0.5),
    "description": (20, 2.0),
    "candidate": (200, 10.0),
    "media": (20, 2.0),
    "ping": (5, 1.0),
    "leave": (2, 0.5),
    "unreadable": (5, 0.05),
}
STRIKES: Final = 20


@dataclass(slots=True)
class Allowance:
    """What is left to one socket. `spend` says whether this message fits; `exhausted` when patience has ended."""

    left: dict[str, tuple[float, float]] = field(default_factory=dict)
    strikes: int = 0

    def spend(self, kind: str, at: float) -> bool:
        burst, refill = RATES[kind]
        tokens, since = self.left.get(kind, (float(burst), at))
        tokens = min(float(burst), tokens + max(0.0, at - since) * refill)
        fits = tokens >= 1.0
        self.left[kind] = (tokens - 1.0 if fits else tokens, at)
        self.strikes += not fits
        return fits

    @property
    def exhausted(self) -> bool:
        return self.strikes > STRIKES
