#!/usr/bin/env python
"""Django's command line, with our settings."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        settings.DATABASES  # noqa: B018 - Django itself would go on without settings, and know hardly any command
    except ImproperlyConfigured as error:
        sys.exit(f"telehealth: {error} (`make run` fills a home with settings; TELEHEALTH_HOME names another one than var/)")
    execute_from_command_line(sys.argv)
