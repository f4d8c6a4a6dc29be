"""Where the pieces are computed: in this process, or in several, each with a session of its own on the one snapshot."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from audit.ledger.verification.sessions import Session, open_session

P = ParamSpec("P")
R = TypeVar("R")
Work = Callable[Concatenate[Session, P], R]

_mine: list[Session] = []  # a process's own session


class Pool(Protocol):
    """Runs functions whose first argument is a session."""

    def submit(self, work: Callable[..., R], *arguments: Any) -> "Future[R]": ...


class Here:
    """No other process: done when asked for."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def submit(self, work: Callable[..., R], *arguments: Any) -> "Future[R]":
        done: Future[R] = Future()
        done.set_result(work(self.session, *arguments))
        return done


class Beside:
    """Forked processes, so that keys and settings are the ones that this process has."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.pool = pool

    def submit(self, work: Callable[..., R], *arguments: Any) -> "Future[R]":
        return self.pool.submit(_work, work, *arguments)


@contextmanager
def processes(jobs: int, where: dict[str, Any], snapshot: str) -> Iterator[Pool]:
    """Something to submit work to; with one job it is this process."""
    if jobs == 1:
        with closing(open_session(where, snapshot)) as session:
            yield Here(session)
        return
    with ProcessPoolExecutor(jobs, get_context("fork"), _begin, (where, snapshot)) as pool:
        yield Beside(pool)


def _begin(where: dict[str, Any], snapshot: str) -> None:
    _mine.append(open_session(where, snapshot))


def _work(work: Callable[..., R], *arguments: Any) -> R:
    return work(_mine[0], *arguments)
