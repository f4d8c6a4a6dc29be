"""Where files lie: a directory of the home, or a bucket that the operator names (S3 and what speaks its language)."""

from pathlib import Path
from typing import Any, Final

from boto3.s3.transfer import TransferConfig

SPOOLED: Final = 4 * 1024 * 1024  # bytes of ciphertext that a download may hold in memory; the rest waits in a temporary file


def place(directory: Path, bucket: str) -> dict[str, Any]:
    """An entry of STORAGES. Credentials and endpoint of a bucket are AWS's own settings (AWS_PROFILE, AWS_ENDPOINT_URL_S3, ..)."""
    if not bucket:
        return {"BACKEND": "telehealth.vault.files.places.DurableFiles", "OPTIONS": {"location": directory}}
    # Without threads: what is put there is read, sealed and put on record as it goes, in this thread's transaction and unit.
    options = {"transfer_config": TransferConfig(use_threads=False), **_options(bucket)}
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def _options(bucket: str) -> dict[str, Any]:
    return {"bucket_name": bucket, "max_memory_size": SPOOLED, "file_overwrite": False, "default_acl": None, "querystring_auth": True}
