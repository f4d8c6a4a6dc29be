"""Signatures over canonical content: Ed25519 (RFC 8032), a key per signer, the private half in the vault."""

import base64
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import transaction

from telehealth.vault.models import SignerKey


@dataclass(frozen=True, slots=True)
class Signature:
    """`key_id` names the signer's key; `value` is 64 bytes."""

    key_id: UUID
    value: bytes


@transaction.atomic
def sign(account_id: UUID, content: bytes) -> Signature:
    """Sign as this account; its key is made on first use."""
    key = SignerKey.objects.filter(account_id=account_id).first() or _make(account_id)
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.private))
    return Signature(key.pk, private.sign(content))


def verify(key_id: UUID, value: bytes, content: bytes) -> bool:
    """Whether this key signed exactly this content."""
    key = SignerKey.objects.filter(pk=key_id).only("public").first()
    if key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes(key.public)).verify(bytes(value), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _make(account_id: UUID) -> SignerKey:
    private = Ed25519PrivateKey.generate()
    made = SignerKey(
        account_id=account_id,
        public=private.public_key().public_bytes_raw(),
        private=base64.b64encode(private.private_bytes_raw()).decode(),
    )
    SignerKey.objects.bulk_create([made], ignore_conflicts=True)
    return SignerKey.objects.get(account_id=account_id)
