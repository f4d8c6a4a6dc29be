"""Figures, not verdicts: `make bench` prints them, one JSON object a line, and never fails.

A module `tests/bench/<app>.py` has `figures()`, which yields `figure(name, value, unit, goal)`; it runs as the runtime role on a
migrated, empty database that keeps its promises to the disk. What is compared is measured by `interleaved`.
"""

from tests.bench.measure import Figure, figure, interleaved

__all__ = ["Figure", "figure", "interleaved"]
