"""Configuration from the environment: the value of NAME, or the contents of the file that NAME_FILE names.

On import, `TELEHEALTH_HOME/telehealth.env` (written by `make run`) fills what the environment leaves open, so that
every management command finds the services and keys of that home.
"""

import os
from enum import Enum
from pathlib import Path
from typing import Final

from django.core.exceptions import ImproperlyConfigured

BASE_DIR: Final = Path(__file__).resolve().parent.parent


class Default(Enum):
    """The one value that no setting can have: "there is no default"."""

    REQUIRED = "required"


REQUIRED: Final = Default.REQUIRED


def home() -> Path:
    """Where this installation keeps its data, keys and sockets."""
    return Path(os.environ.get("TELEHEALTH_HOME") or BASE_DIR / "var").absolute()


def load(path: Path) -> frozenset[str]:
    """Fill the environment from KEY=VALUE lines; what is set already, by value or by file, stays. Return what was filled.

    A file that cannot be read fills nothing: the first setting that is missed says so.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return frozenset()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    taken = {name.removesuffix("_FILE") for name in os.environ if os.environ[name]}
    filled = {key: value for key, value in pairs if key.removesuffix("_FILE") not in taken and key not in os.environ}
    os.environ.update(filled)
    return frozenset(filled)


LOADED: Final = load(home() / "telehealth.env")


def given(name: str) -> bool:
    """Whether the operator set this, rather than the home's own telehealth.env."""
    return any(os.environ.get(key) and key not in LOADED for key in (name, f"{name}_FILE"))


def text(name: str, default: str | Default = REQUIRED) -> str:
    """The setting, or its default; without either there is no start."""
    value = os.environ.get(name) or _from_file(name)
    if value:
        return value
    if isinstance(default, Default):
        raise ImproperlyConfigured(f"{name} is not set: give {name}, or the path of a file that holds it as {name}_FILE{_why_not()}")
    return default


def flag(name: str) -> bool:
    """True for 1, true, yes, on; False for nothing, 0, false, no, off; anything else is a mistake."""
    value = text(name, "").lower()
    if value not in {"", "0", "false", "no", "off", "1", "true", "yes", "on"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}")
    return value in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    """A whole number."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from None


def listed(name: str, default: list[str]) -> list[str]:
    """Comma-separated values."""
    value = text(name, "")
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(default)


def path_of(name: str) -> str:
    """The path in NAME_FILE, for a secret that only some processes may read."""
    return os.environ.get(f"{name}_FILE", "")


def file_of(name: str) -> str:
    """The same where there is no start without: a secret that is read again while we run has to be a file."""
    if not path_of(name):
        raise ImproperlyConfigured(f"{name}_FILE is not set: give the path of a file that holds it{_why_not()}")
    return path_of(name)


def _why_not() -> str:
    path = home() / "telehealth.env"
    return f"; {path} is not readable for this user" if path.exists() and not os.access(path, os.R_OK) else ""


def _from_file(name: str) -> str:
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read: {reason}") from None
