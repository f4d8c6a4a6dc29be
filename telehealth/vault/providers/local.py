"""No provider elsewhere: what the keyring's file holds are the keys themselves, and its mode (0600) protects them."""


class LocalFile:
    """Wraps nothing. Right for a demonstration and for one machine whose disk is encrypted; see docs/keys.md."""

    def wrap_secret(self, secret: bytes, name: str = "") -> bytes:
        return secret

    def unwrap_secret(self, blob: bytes, name: str = "") -> bytes:
        return blob
