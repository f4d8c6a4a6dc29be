"""Key material in process memory: so many at most, for so long at most, whether anybody asks for it again or not."""

import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEEP_SECONDS = 300.0
_all: "weakref.WeakSet[Kept[Any, Any]]" = weakref.WeakSet()


class Kept(Generic[K, V]):
    """Least recently used goes first; an entry dies with its time, whatever its use, and a timer forgets it then."""

    def __init__(self, at_most: int, seconds: float = KEEP_SECONDS) -> None:
        self.at_most = at_most
        self.seconds = seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._sweeping = False
        _all.add(self)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            if found[0] <= time.monotonic():
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._kept[key] = (time.monotonic() + self.seconds, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self.at_most:
                self._kept.popitem(last=False)
            self._sweep_later()

    def drop(self, key: K) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def _sweep_later(self) -> None:
        """With the lock held: one timer while there is anything to forget."""
        if self._sweeping or not self._kept:
            return
        self._sweeping = True
        soonest = min(until for until, _ in self._kept.values())
        timer = threading.Timer(max(soonest - time.monotonic(), 0) + 0.05, self._sweep)
        timer.daemon = True
        timer.start()

    def _sweep(self) -> None:
        with self._lock:
            self._sweeping = False
            past = time.monotonic()
            for key in [key for key, (until, _) in self._kept.items() if until <= past]:
                del self._kept[key]
            self._sweep_later()

    def after_fork(self) -> None:
        """The child has neither the timer nor whoever held the lock: it begins with nothing."""
        self._lock = threading.Lock()
        self._kept.clear()
        self._sweeping = False


def _after_fork() -> None:
    for each in list(_all):
        each.after_fork()


os.register_at_fork(after_in_child=_after_fork)
