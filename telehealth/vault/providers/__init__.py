"""Where the keys that wrap keys are kept. One small interface; `settings.VAULT_PROVIDER` names who fills it.

A provider wraps and unwraps small secrets: the key-encryption keys and index roots of the keyring, and the ledger's
MAC and signing keys. Record keys and data never reach it. Each call may cross a network; `telehealth.vault.keyring`
is who calls it, keeps what came back for five minutes, and rests after a failure.
"""

from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Provider(Protocol):
    """Raises VaultUnavailable for whatever goes wrong: out of reach, refused, or not a blob of this name."""

    def wrap_secret(self, secret: bytes, name: str = "") -> bytes:
        """The blob to keep. It opens under the same name only, where the provider can bind one."""
        ...

    def unwrap_secret(self, blob: bytes, name: str = "") -> bytes:
        """The secret again."""
        ...


BY_NAME = {
    "local": "telehealth.vault.providers.local.LocalFile",
    "aws": "telehealth.vault.providers.aws.AwsKms",
    "transit": "telehealth.vault.providers.transit.Transit",
}


def make(name: str) -> Provider:
    """The provider of a short name, or of a dotted path."""
    made: Provider = import_string(BY_NAME.get(name, name))()
    return made


@cache
def provider() -> Provider:
    """The one that the settings name."""
    return make(settings.VAULT_PROVIDER)
