"""The base of every Celery task: an audit unit around the work, written before the task is acknowledged."""

from typing import Any

import celery

from audit.ledger import SYSTEM, EntryNotWritten, unit


class Task(celery.Task):
    """Runs as the system actor. An entry that cannot be written retries the task; nothing was sent meanwhile."""

    abstract = True
    retry_seconds = 5

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with unit(SYSTEM, channel="task", purpose="HOPERAT", reason=self.name):
                return super().__call__(*args, **kwargs)
        except EntryNotWritten as error:  # not by `autoretry_for`: that ends with `run`, before the unit does
            raise self.retry(exc=error, countdown=self.retry_seconds, max_retries=None) from error
