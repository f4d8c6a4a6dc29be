"""Where sealed files lie: a directory of our own, or a bucket (`STORAGES["sealed"]`). Names are ids, contents ciphertext."""

import os
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage, Storage, storages


class DurableFiles(FileSystemStorage):
    """Files that only we can read, on the disk before `save` returns: a row must not outlive what it points to in a crash."""

    def __init__(self, **options: Any) -> None:
        super().__init__(file_permissions_mode=0o600, directory_permissions_mode=0o700, **options)

    def _save(self, name: str, content: Any) -> str:
        saved: str = super()._save(name, content)  # type: ignore[misc]  # Django's own extension point, without stubs
        path = Path(self.path(saved))
        for each in (path, path.parent):
            descriptor = os.open(each, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return saved


def sealed() -> Storage:
    """The storage of sealed files."""
    return storages["sealed"]
