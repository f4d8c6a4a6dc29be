"""HashiCorp Vault's transit engine (or OpenBao's): a key there wraps ours; each blob is bound to its name as associated data.

`VAULT_ADDR`, `VAULT_CACERT` and `VAULT_NAMESPACE` are HashiCorp's own; the token is in the file `VAULT_TOKEN_FILE`, which
Vault's agent renews, and is read for each call. Its policy needs `update` on transit/decrypt/KEY, and on transit/encrypt/KEY
only where `new_kek` and `move_keyring` are run. The key is of an AEAD type (aes256-gcm96, its default) on Vault 1.9 or newer.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import hvac
import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from hvac.exceptions import VaultError

from telehealth.vault import keyfile
from telehealth.vault.errors import VaultUnavailable

TIMEOUT_SECONDS = 3


class Transit:
    """One try, three seconds; then VaultUnavailable."""

    def __init__(self) -> None:
        if not (settings.TRANSIT_ADDR and settings.TRANSIT_TOKEN_FILE):
            raise ImproperlyConfigured("VAULT_PROVIDER=transit needs VAULT_ADDR and VAULT_TOKEN_FILE")

    def wrap_secret(self, secret: bytes, name: str = "") -> bytes:
        found = self._ask(lambda transit: transit.encrypt_data(plaintext=_text(secret), **_place(name)))
        return str(found["ciphertext"]).encode()

    def unwrap_secret(self, blob: bytes, name: str = "") -> bytes:
        found = self._ask(lambda transit: transit.decrypt_data(ciphertext=blob.decode("ascii", "replace"), **_place(name)))
        return base64.b64decode(found["plaintext"])

    def _ask(self, how: Callable[[Any], Any]) -> Any:
        """The `data` of the answer."""
        try:
            token = keyfile.read(Path(settings.TRANSIT_TOKEN_FILE)).decode().strip()
        except OSError:
            _down("token_unreadable")
        with requests.Session() as session:
            session.trust_env = False  # no proxy and no netrc comes between us
            session.verify = settings.TRANSIT_CACERT or True
            client = hvac.Client(
                url=settings.TRANSIT_ADDR,
                token=token,
                namespace=settings.TRANSIT_NAMESPACE or None,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                session=session,
            )
            try:
                return how(client.secrets.transit)["data"]
            except (VaultError, requests.RequestException) as error:
                _down(type(error).__name__)
            except (KeyError, TypeError, ValueError):
                _down("answer_malformed")


def _place(name: str) -> dict[str, str]:
    return {"name": settings.TRANSIT_KEY, "mount_point": settings.TRANSIT_MOUNT, "associated_data": _text(name.encode())}


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _down(why: str) -> NoReturn:
    """By code alone: what Vault says may quote the request."""
    raise VaultUnavailable(why=f"transit {why}") from None
