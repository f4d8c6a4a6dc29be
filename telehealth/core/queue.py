"""Work for later that a periodic sweep would find again anyway. What must not be lost goes to the outbox."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def later(name: str, *ids: object) -> None:
    """Send the Celery task on commit, with ids only. The name is resolved now, so that a wrong one fails at once.

    A broker that is down is no fault of the caller, whose transaction stands: the sweep finds the work.
    """
    if name not in current_app.tasks:  # outside a worker nobody has imported the apps' tasks yet
        current_app.loader.import_default_modules()
    task = current_app.tasks[name]
    transaction.on_commit(lambda: _send(task, [str(each) for each in ids]), robust=True)


def _send(task, ids: list[str]) -> None:  # type: ignore[no-untyped-def]  # Celery's tasks are untyped
    try:
        task.apply_async(args=ids, ignore_result=True, retry=False)
    except OperationalError:
        log.warning("broker unavailable; left to the sweep", task=task.name)
