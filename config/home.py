"""The home of one installation: its paths, its keys, and how to reach its database and broker."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from django.core.exceptions import ImproperlyConfigured

from config import env

Role = Literal["app", "owner", "sealer"]
URL_OF: Final[dict[Role, str]] = {
    "app": "DATABASE_URL",
    "owner": "MIGRATION_DATABASE_URL",
    "sealer": "SEALER_DATABASE_URL",  # optional: the sealer then is not the runtime role, which cannot write leaves any more
}
PASSWORD_OF: Final[dict[Role, str]] = {
    "app": "DATABASE_PASSWORD",
    "owner": "MIGRATION_DATABASE_PASSWORD",
    "sealer": "SEALER_DATABASE_PASSWORD",
}
PG_OPTIONS: Final = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "connect_timeout", "application_name"})


@dataclass(frozen=True)
class Home:
    """Paths under one home; nothing is made by asking for a path."""

    root: Path

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def env_file(self) -> Path:
        return self.root / "telehealth.env"

    @property
    def demo(self) -> Path:
        return self.root / "demo.json"

    @property
    def run(self) -> Path:
        return self.root / "run.json"

    @property
    def migrated(self) -> Path:
        return self.root / "migrated"

    @property
    def lock(self) -> Path:
        return self.root / "lock"


class HomeInUse(Exception):
    """Another run holds this home."""


def current() -> Home:
    """The home that TELEHEALTH_HOME names, else `var/` beside the code."""
    return Home(env.home())


def make(home: Home) -> None:
    """Make the home's directories; parents keep their permissions, ours are private."""
    if any(character in str(home.root) for character in "\n\r"):
        raise ImproperlyConfigured("TELEHEALTH_HOME has a line break in its name")
    home.root.mkdir(parents=True, exist_ok=True)
    for path in (home.keys, home.logs, home.checkpoints):
        path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold the home for this process, or raise HomeInUse; the kernel lets go when the process dies."""
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeInUse(f"another run uses {home.root}: stop it, or set TELEHEALTH_HOME to another directory") from None
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


# --- keys ----------------------------------------------------------------------------------------


def _random_base64() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def new_password() -> str:
    """A password that nobody types."""
    return secrets.token_urlsafe(32)


def _pem(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _keyring() -> str:
    """The vault's keyring: one key-encryption key, active, and the root of the blind indexes."""
    return json.dumps({"kek": {"1": _random_base64()}, "active": "1", "index": _random_base64()})


KEYS: Final[Mapping[str, tuple[str, Callable[[], str]]]] = {
    "SECRET_KEY": ("secret_key", lambda: secrets.token_urlsafe(64)),
    "AUDIT_MAC_KEY": ("audit_mac.key", _random_base64),
    "AUDIT_SIGNING_KEY": ("audit_signing.key", lambda: _pem(ed25519.Ed25519PrivateKey.generate())),
    "VAULT_KEYRING": ("vault_keyring.json", _keyring),
    "OIDC_RSA_PRIVATE_KEY": ("oidc.pem", lambda: _pem(rsa.generate_private_key(public_exponent=65537, key_size=3072))),
    "PHARMACY_NETWORK_SECRET": ("pharmacy_network.secret", new_password),
    "MIGRATION_DATABASE_PASSWORD": ("db_owner.password", new_password),
    "DATABASE_PASSWORD": ("db_app.password", new_password),
    "SEALER_DATABASE_PASSWORD": ("db_sealer.password", new_password),
}


# Without these the data that is there already cannot be read or proved: they are never made a second time.
IRREPLACEABLE: Final = frozenset({"AUDIT_MAC_KEY", "AUDIT_SIGNING_KEY", "VAULT_KEYRING"})


def make_keys(home: Home) -> dict[str, str]:
    """Make each key that does not exist yet; return the NAME_FILE settings that lead to them.

    Refuses to replace a lost key that the home's data depends on.
    """
    for name, (filename, make_one) in KEYS.items():
        path = home.keys / filename
        if not path.exists():
            if name in IRREPLACEABLE and home.demo.exists():
                raise ImproperlyConfigured(f"{path} is gone, and the data of {home.root} needs it: put it back, or move {home.root} away")
            write_private(path, make_one())
    return {f"{name}_FILE": str(home.keys / filename) for name, (filename, _) in KEYS.items()}


def password(home: Home, role: Role) -> str:
    """The embedded database's password of one role."""
    return (home.keys / KEYS[PASSWORD_OF[role]][0]).read_text(encoding="utf-8")


# --- database and broker -------------------------------------------------------------------------


def database(which: Role) -> dict[str, Any]:
    """Django's DATABASES entry for one role, from DATABASE_URL or MIGRATION_DATABASE_URL."""
    name = URL_OF[which]
    entry = parse_database(env.text(name), name)
    # The password may live apart from the address, as container platforms hand secrets out; one in the address wins.
    entry["PASSWORD"] = entry["PASSWORD"] or env.text(PASSWORD_OF[which], "")
    return entry


def parse_database(url: str, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Read postgresql://user:password@host:port/name?sslmode=.. or postgresql:///name?host=/socket/dir&user=.."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not a database address") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must begin with postgresql://: PostgreSQL is the only database supported")
    query = dict(parse_qsl(parts.query))
    entry = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")) or query.pop("dbname", ""),
        "USER": unquote(parts.username or "") or query.pop("user", ""),
        "PASSWORD": unquote(parts.password or "") or query.pop("password", ""),
        "HOST": unquote(parts.hostname or "") or query.pop("host", ""),
        "PORT": str(port or "") or query.pop("port", ""),
    }
    unknown = sorted(set(query) - PG_OPTIONS)
    if unknown or not entry["NAME"]:
        raise ImproperlyConfigured(f"{name}: unknown option {unknown[0]}" if unknown else f"{name} names no database")
    return entry | {"OPTIONS": query}


def redis_url() -> str:
    """The broker's address as redis-py, Celery and channels_redis read it; a socket path is percent-encoded."""
    url = env.text("REDIS_URL")
    if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://")
    return url


def broker_url() -> str:
    """The same broker in Celery's spelling, which names a socket `redis+socket://`."""
    url = redis_url()
    return "redis+socket" + url.removeprefix("unix") if url.startswith("unix:") else url
