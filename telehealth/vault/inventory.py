"""Which keys there are, and never a key: for `manage.py list_keys` (OWASP ASVS 11.1.2) and docs/keys.md."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings

from telehealth.vault import document, rotation


@dataclass(frozen=True, slots=True)
class Key:
    """`held` is where it is; `under` how many keys it wraps, or how many of its kind there are."""

    name: str
    algorithm: str
    state: str
    held: str
    under: int | None = None


OF_THE_HOUSE = {
    "AUDIT_MAC_KEY": "HMAC-SHA-256",
    "AUDIT_SIGNING_KEY": "Ed25519",
    "OIDC_RSA_PRIVATE_KEY": "RSA 3072",
    "PHARMACY_NETWORK_SECRET": "HMAC-SHA-256",
    "SECRET_KEY": "HMAC-SHA-256",
    "SMS_INBOUND_SECRET": "HMAC-SHA-256",
    "TURN_SECRET": "HMAC-SHA-1",
    "EMAIL_HOST_PASSWORD": "password",
    "DATABASE_PASSWORD": "password",
    "MIGRATION_DATABASE_PASSWORD": "password",
}


def keys() -> list[Key]:
    """All of them: the keyring's, those that these wrap, and the secrets of the settings that this process was given."""
    return [*_keyring(), *_wrapped(), *_settings()]


def _keyring() -> list[Key]:
    held, counts, found = document.read(), rotation.counts(), []
    where = f"keyring, {settings.VAULT_PROVIDER}"
    for name in held.keks:
        state = f"retired {held.retired[name]}" if name in held.retired else "active" if name == held.active else "waiting"
        found.append(Key(f"kek:{name}", "AES-256-KW", state, where, counts.pop(name, 0)))
    found += [Key(f"kek:{name}", "AES-256-KW", "MISSING", "nowhere", number) for name, number in counts.items()]
    return [*found, *(Key(f"index:{number}", "HKDF-SHA-256, HMAC-SHA-256", "active", where) for number in held.indexes)]


def _wrapped() -> list[Key]:
    """By kind: there is one for each record and one for each signer."""
    signers = apps.get_model("vault", "SignerKey").objects.count()
    records = [Key(model._meta.label, "AES-256-GCM", "wrapped", "database", model.objects.count()) for model in rotation.tables()]
    return [*records, Key("vault.SignerKey", "Ed25519", "sealed", "database", signers)]


def _settings() -> list[Key]:
    return [Key(name, algorithm, "active", where) for name, algorithm in OF_THE_HOUSE.items() if (where := _where(name))]


def _where(name: str) -> str:
    if path := os.environ.get(f"{name}_FILE"):
        return f"file {stat.S_IMODE(Path(path).stat().st_mode):04o}" if Path(path).exists() else "file, not readable here"
    return "environment" if os.environ.get(name) else ""
