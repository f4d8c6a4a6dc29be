"""The Celery application: JSON, late acknowledgement, no result backend, an audit unit around every task."""

import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

from telehealth.core.task import Task

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


@setup_logging.connect
def _our_logs(**_: Any) -> None:
    """Celery's own set-up would print what exceptions say, and arguments with them."""
    dictConfig(settings.LOGGING)
    # What a careless task prints, withheld. The level by name: a child of the pool reads it from its environment.
    app.log.redirect_stdouts("WARNING", "celery.redirected")  # type: ignore[arg-type]  # the stubs know numbers only


app = Celery("telehealth", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
