"""What the vault says when it cannot, rather than will not; and when there is nothing left to open."""

from telehealth.core.errors import Conflict, Missing, Unavailable


class VaultUnavailable(Unavailable):
    """A key is needed now and where the keys are kept does not hand it out: unreachable, refusing, or without that key."""

    code = "vault_unavailable"


class RecordDestroyed(Missing):
    """The record's key was destroyed on purpose: outside, as if it had never been there."""

    code = "record_destroyed"


class KeyInFiles(Conflict):
    """This key wraps others that are in archive files, where no re-key would find them: it is re-wrapped, never replaced."""

    code = "key_in_files"


class RecordRekeyed(Conflict):
    """What was read before the record got a new key is written after the old key is gone: read it again."""

    code = "record_rekeyed"
