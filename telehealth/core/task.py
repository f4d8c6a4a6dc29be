"""The base of every Celery task: an audit unit around the work, written before the task is acknowledged."""

from typing import Any

import celery

from audit.ledger import SYSTEM, EntryNotWritten, unit
from telehealth.core.errors import Unavailable


class Task(celery.Task):
    """Runs as the system actor. An entry that cannot be written, or a key that cannot be had, retries the
    task; nothing was sent meanwhile."""

    abstract = True
    retry_seconds = 5

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with unit(SYSTEM, channel="task", purpose="HOPERAT", reason=self.name):
                return super().__call__(*args, **kwargs)
        except Unavailable as error:
            raise self.retry(exc=error, countdown=error.retry_after, max_retries=None) from error
        except EntryNotWritten as error:  # not by `autoretry_for`: that ends with `run`, before the unit does
            raise self.retry(exc=error, countdown=self.retry_seconds, max_retries=None) from error
