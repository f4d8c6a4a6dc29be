"""Every act that the ledger knows. Alphabetical by value; each is used, and a test says so."""

from enum import StrEnum


class Act(StrEnum):
    """What was done. The value is stored and sealed, so it never changes its meaning."""

    BUNDLE_IMPORTED = "bundle.imported"
    CARE_BEGUN = "care.begun"
    CARE_ENDED = "care.ended"
    OBJECT_ACCESSED = "object.accessed"
    OBJECT_CHANGED = "object.changed"
    OBJECT_CREATED = "object.created"
    OBJECT_DELETED = "object.deleted"
    OUTBOX_DELIVERED = "outbox.delivered"
    OUTBOX_PARKED = "outbox.parked"
    OUTBOX_SENT_AGAIN = "outbox.sent_again"
    OUTBOX_SKIPPED = "outbox.skipped"
    PATIENT_REGISTERED = "patient.registered"
    RECORD_OPENED = "record.opened"
    REFUSED = "refused"
