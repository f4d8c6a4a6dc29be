"""Sealed files: attachments, recordings, exports. Each under a key of its own, which its record's key seals."""

from telehealth.vault.files.purposes import purpose
from telehealth.vault.files.sealed import read, remove, sweep, write

__all__ = ["purpose", "read", "remove", "sweep", "write"]
