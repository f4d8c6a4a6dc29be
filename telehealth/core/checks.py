"""What must never be wrong in production, as system checks: `manage.py check --deploy` names it."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from audit.ledger.retention import years

SECRETS = ("AUDIT_MAC_KEY", "AUDIT_SIGNING_KEY", "SECRET_KEY", "VAULT_KEYRING")
DATABASE_LOGS = {  # what of a failing or slow statement PostgreSQL may write down: nothing that has a value in it
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@register()
def always(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Wrong in a demonstration too."""
    return [*_debugging(), *_roles(), *_key_files(), *_demonstration(), *_retention()]


@register(deploy=True)
def in_production(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Wrong where real people's health data is."""
    return [*_plain_http(), *_plain_database()]


@register(Tags.database)
def database_logs(app_configs: Any, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Asked with `check --database default`, and by every `migrate`: the server's own log is no place for values."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DATABASE_LOGS)])
            wrong = sorted(name for name, value in cursor.fetchall() if value != DATABASE_LOGS[name])
        if wrong:
            hint = "ALTER DATABASE ... SET, as in deploy/database.sql"
            found.append(Warning(f"PostgreSQL ({alias}) may log values: {', '.join(wrong)}", hint=hint, id="telehealth.W001"))
    return found


def _debugging() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error("DEBUG shows health data in error pages; it is never on.", id="telehealth.E001")


def _roles() -> Iterator[CheckMessage]:
    owner = settings.DATABASES.get("owner", {}).get("USER")
    if owner and owner == settings.DATABASES["default"]["USER"]:
        yield Error(
            "The application connects as the owner of its tables, who can change the audit log.",
            hint="Give DATABASE_URL the runtime role and MIGRATION_DATABASE_URL the owner.",
            id="telehealth.E002",
        )


def _key_files() -> Iterator[CheckMessage]:
    for name in SECRETS:
        path = os.environ.get(f"{name}_FILE")
        if path and Path(path).exists() and stat.S_IMODE(Path(path).stat().st_mode) & 0o077:
            yield Error(f"{name}_FILE can be read by others; make it 0600.", id="telehealth.E003")


def _demonstration() -> Iterator[CheckMessage]:
    if settings.DEMO and urlsplit(settings.PUBLIC_URL).hostname not in LOOPBACK:
        yield Error("TELEHEALTH_DEMO serves loopback only; PUBLIC_URL says otherwise.", id="telehealth.E004")


def _retention() -> Iterator[CheckMessage]:
    try:
        years()
    except ImproperlyConfigured as error:
        yield Error(str(error), id="telehealth.E007")


def _plain_http() -> Iterator[CheckMessage]:
    if not settings.DEMO and urlsplit(settings.PUBLIC_URL).scheme != "https" and "localhost" not in settings.PUBLIC_URL:
        yield Error("PUBLIC_URL must be https.", id="telehealth.E005")


def _plain_database() -> Iterator[CheckMessage]:
    for alias, entry in settings.DATABASES.items():
        host = entry.get("HOST") or ""
        remote = host and not host.startswith("/") and host not in LOOPBACK
        if remote and entry.get("OPTIONS", {}).get("sslmode") not in {"verify-full", "verify-ca"}:
            yield Error(f"The connection to the database ({alias}) is not verified TLS.", hint="sslmode=verify-full", id="telehealth.E006")
