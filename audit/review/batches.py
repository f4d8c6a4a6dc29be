"""Going through what does not fit into memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size`, none of them empty (`itertools.batched`, which Python 3.11 lacks)."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch
