"""The Celery application: JSON, late acknowledgement, no result backend, an audit unit around every task."""

import os

from celery import Celery

from telehealth.core.task import Task

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("telehealth", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
