"""The keyring's document: which key-encryption keys and index roots there are, each as its provider wrapped it.

JSON in the file that `VAULT_KEYRING_FILE` names: {"kek": {id: base64}, "active": id, "retired": {id: since},
"index": base64 of version 1, or {version: base64}}. Under the local provider these are the keys themselves.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from telehealth.vault import keyfile
from telehealth.vault.errors import VaultUnavailable


@dataclass(frozen=True)
class Document:
    """`active` wraps new record keys; the others unwrap old ones; the retired wrap nothing any more and wait to be dropped."""

    keks: Mapping[str, bytes]
    active: str
    indexes: Mapping[int, bytes]
    retired: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def parse(text: bytes) -> "Document":
        """ValueError when it is none."""
        try:
            content: dict[str, Any] = json.loads(text)
            index = content["index"]
            found = Document(
                keks={str(name): _bytes(blob) for name, blob in content["kek"].items()},
                active=content["active"],
                indexes={int(number): _bytes(blob) for number, blob in (index if isinstance(index, dict) else {"1": index}).items()},
                retired=dict(content.get("retired", {})),
            )
        except (KeyError, TypeError, AttributeError):
            raise ValueError("not a keyring") from None
        if found.active not in found.keks or found.active in found.retired or not found.retired.keys() <= found.keks.keys():
            raise ValueError("not a keyring")
        return found

    def text(self) -> bytes:
        """As it is kept."""
        content = {
            "kek": {name: _text(blob) for name, blob in self.keks.items()},
            "active": self.active,
            "retired": dict(self.retired),
            "index": {str(number): _text(blob) for number, blob in self.indexes.items()},
        }
        return json.dumps(content, indent=1).encode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def path() -> Path:
    """Where the document is."""
    if not settings.VAULT_KEYRING_FILE:
        raise ImproperlyConfigured("VAULT_KEYRING_FILE is not set: the vault has no keyring")
    return Path(settings.VAULT_KEYRING_FILE)


def read() -> Document:
    """The document as it is now; VaultUnavailable when it cannot be read, is none, or others can read it."""
    try:
        return Document.parse(keyfile.read(path()))
    except keyfile.NotPrivate:
        _unusable("keyring_not_private")
    except OSError:
        _unusable("keyring_unreadable")
    except ValueError:
        _unusable("keyring_malformed")


def lay_down(made: Document, where: Path | None = None) -> None:
    """Write a document where there is none; FileExistsError else."""
    where = where or path()
    with keyfile.locked(where):
        if where.exists():
            raise FileExistsError(where)
        keyfile.write(where, made.text())


def change(how: Callable[[Document], Document]) -> Document:
    """Replace the document by what is made of it, one process at a time."""
    with keyfile.locked(path()):
        changed = how(read())
        keyfile.write(path(), changed.text())
    return changed


def _unusable(why: str) -> NoReturn:
    raise VaultUnavailable(why=why) from None
