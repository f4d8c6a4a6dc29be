"""The base of every Celery task: an audit unit around the work, written before the task is acknowledged."""

from typing import Any

import celery

from audit.ledger import SYSTEM, EntryNotWritten, unit


class Task(celery.Task):
    """Runs as the system actor. An entry that cannot be written retries the task; nothing was sent meanwhile."""

    abstract = True
    autoretry_for = (EntryNotWritten,)
    retry_backoff = True
    max_retries = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with unit(SYSTEM, channel="task", purpose="HOPERAT", reason=self.name):
            return super().__call__(*args, **kwargs)
