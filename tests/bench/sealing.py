"""What the sealer costs those who write: 500 entries a second from 16 writers, with and without it, in turns.

SECONDS (60) is the length of each turn, ROUNDS (5) how many there are of each.
"""

import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from audit.ledger.sealing import lag_seconds
from tests.audit.load import lags, locks, open_loop, percentile, published_sizes
from tests.audit.sealers import sealing
from tests.bench.measure import Figure, figure

RATE, WRITERS = 500, 16
SECONDS, ROUNDS = float(os.environ.get("SECONDS", "60")), int(os.environ.get("ROUNDS", "5"))
SETTLED = 120.0  # seconds for what the other turn left to be sealed


@dataclass
class Turns:
    """Medians of each turn (ms), lags with the sealer (s), and what was seen of locks."""

    medians: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    lags: list[float] = field(default_factory=list)
    samples: int = 0
    ungranted: Counter[str] = field(default_factory=Counter)


def figures() -> Iterator[Figure]:
    turns = Turns()
    with tempfile.TemporaryDirectory() as home:
        settings.AUDIT_CHECKPOINTS = Path(home) / "checkpoints"
        for number in range(ROUNDS):
            for sealed in (True, False) if number % 2 else (False, True):  # neither always comes first
                _turn(turns, Path(home), sealed=sealed)
    ordered = sorted(turns.lags)
    ratios = [with_it / without for with_it, without in zip(turns.medians[True], turns.medians[False], strict=True)]
    yield figure("sealing.insert_median_without", statistics.median(turns.medians[False]), "ms")
    yield figure("sealing.insert_median_with", statistics.median(turns.medians[True]), "ms")
    yield figure("sealing.insert_with_over_without", statistics.median(ratios), "times", goal=1.15)
    yield figure("sealing.lag_p50", percentile(ordered, 50), "s")
    yield figure("sealing.lag_p99", percentile(ordered, 99), "s", goal=2.0)
    yield figure("sealing.lock_samples", turns.samples, "samples")
    extending = sum(count for kind, count in turns.ungranted.items() if kind.startswith("extend "))
    yield figure("sealing.ungranted_locks", turns.ungranted.total() - extending, "times", goal=0)
    # Two inserts that need a new page of the same file at once: PostgreSQL's own, with and without a sealer.
    yield figure("sealing.waits_to_extend_a_file", extending, "times")


def _turn(turns: Turns, home: Path, *, sealed: bool) -> None:
    """The bystanders look on in both: they share the writers' process, and must not be what is measured."""
    with sealing(home) if sealed else nullcontext():
        if sealed:
            _settle()
        with published_sizes(home / "checkpoints") as seen, locks() as looked:
            written = open_loop(rate=RATE, writers=WRITERS, seconds=SECONDS)
            time.sleep(2)
        turns.samples += looked.samples
        turns.ungranted += looked.ungranted
        turns.medians[sealed].append(statistics.median((one.done - one.began) * 1000 for one in written))
        if sealed:
            turns.lags += lags(written, seen)


def _settle() -> None:
    """Until the sealer is there and has sealed what was written without it."""
    deadline = time.monotonic() + SETTLED
    time.sleep(1)
    while lag_seconds() > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
