"""What the vault says when it cannot, rather than will not."""

from telehealth.core.errors import Unavailable


class VaultUnavailable(Unavailable):
    """A key is needed now and where the keys are kept does not hand it out: unreachable, refusing, or without that key."""

    code = "vault_unavailable"
