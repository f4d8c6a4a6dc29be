"""Secrets shared with the outside world: in the settings as they are, or sealed in the database under a name.

A setting that says `sealed:NAME` stands for the secret that `manage.py seal_secret NAME` took in. It opens inside a unit
alone, like everything here, and lives no longer than its use.
"""

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from audit.ledger import Act, Actor, current, record
from telehealth.vault.models import IntegrationSecret

SEALED = "sealed:"


def reveal(setting: str) -> str:
    """The secret that the setting is or stands for."""
    if not setting.startswith(SEALED):
        return setting
    current()
    name = setting.removeprefix(SEALED)
    found = IntegrationSecret.objects.filter(name=name).first()
    if found is None:
        raise ImproperlyConfigured(f"no secret is sealed under the name {name}: manage.py seal_secret {name}")
    value: str = found.value
    return value


@transaction.atomic
def seal(*, name: str, value: str, by: Actor) -> None:
    """Keep it under that name, in place of the former one."""
    held = IntegrationSecret.objects.select_for_update().filter(name=name).first() or IntegrationSecret(name=name)
    held.value = value
    held.save()
    record(by, Act.INTEGRATION_SEALED, held, detail={"name": name})
