"""What a note's signature covers, and whether it still does."""

import hmac
from datetime import UTC, datetime
from typing import Any

from consults.canonical import canonical, digest
from consults.models import Note
from telehealth.vault import signing
from telehealth.vault.models import SignerKey

PARTS = ("subjective", "objective", "assessment", "plan")


def content_of(note: Note, signed_at: datetime) -> bytes:
    """The canonical bytes: the note's place, author and time beside its text, so that none can be exchanged; its labels, if any."""
    told: dict[str, Any] = {"form": "telehealth.note.v2", "labels": sorted(note.labels)} if note.labels else {"form": "telehealth.note.v1"}
    return canonical(
        told
        | {
            "note": str(note.pk),
            "visit": str(note.visit_id),
            "patient": str(note.patient_id),
            "author": str(note.author_id),
            "amends": None if note.amends_id is None else str(note.amends_id),
            "version": note.version,
            "signed_at": signed_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "body": note.body,
        }
    )


def is_intact(note: Note) -> bool | None:
    """Whether a signed note is what its author signed; None for a draft. Opens the note."""
    if note.status != Note.Status.SIGNED or note.signed_at is None:
        return None
    content = content_of(note, note.signed_at)
    if note.digest is None or note.key_id is None or note.signature is None:
        return False
    kept = hmac.compare_digest(bytes(note.digest), digest(content))
    own_key = SignerKey.objects.filter(pk=note.key_id, account_id=note.author_id).exists()
    return kept and own_key and signing.verify(note.key_id, bytes(note.signature), content)
