"""AWS KMS: a symmetric key there wraps ours; each blob is bound to its name by the encryption context.

`VAULT_KMS_KEY` is its ARN (or alias); region and credentials come the way AWS's own tools find them. The role needs
kms:Encrypt and kms:Decrypt on that key, and kms:Encrypt only where `new_kek` and `move_keyring` are run.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NoReturn

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from telehealth.vault.errors import VaultUnavailable

PATIENCE = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})


class AwsKms:
    """Never retried for longer than about ten seconds; then VaultUnavailable."""

    def __init__(self) -> None:
        self.key: str = settings.VAULT_KMS_KEY
        if not self.key:
            raise ImproperlyConfigured("VAULT_PROVIDER=aws needs VAULT_KMS_KEY, the ARN of a symmetric key")

    def wrap_secret(self, secret: bytes, name: str = "") -> bytes:
        blob: bytes = self._ask("encrypt", Plaintext=secret, EncryptionContext=_context(name))["CiphertextBlob"]
        return blob

    def unwrap_secret(self, blob: bytes, name: str = "") -> bytes:
        secret: bytes = self._ask("decrypt", CiphertextBlob=blob, EncryptionContext=_context(name))["Plaintext"]
        return secret

    @cached_property
    def _client(self) -> Any:
        parts = self.key.split(":")
        region = parts[3] if len(parts) > 5 else None
        return boto3.client("kms", region_name=region, endpoint_url=settings.VAULT_KMS_ENDPOINT or None, config=PATIENCE)

    def _ask(self, operation: str, **given: Any) -> dict[str, Any]:
        try:
            call: Callable[..., dict[str, Any]] = getattr(self._client, operation)
            return call(KeyId=self.key, **given)
        except ClientError as error:
            _down(error.response["Error"]["Code"])
        except BotoCoreError as error:
            _down(type(error).__name__)


def _context(name: str) -> dict[str, str]:
    return {"telehealth": name}


def _down(why: str) -> NoReturn:
    """By code alone: what AWS says may quote the request."""
    raise VaultUnavailable(why=f"kms {why}") from None
