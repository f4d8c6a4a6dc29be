"""A process for tests to kill: one pass of the waiting list, as the worker makes it."""

import os

import django
from django.utils.module_loading import import_string

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    import_string("scheduling.tasks.offer_freed")()
