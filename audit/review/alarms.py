"""Who is told when the ledger raises an alarm (`settings.AUDIT_ALARM`)."""

from uuid import UUID

from telehealth.accounts.access import Role
from telehealth.accounts.selectors import active
from telehealth.outbox.services import notify


def tell_privacy_officers(kind: str, about_id: UUID) -> None:
    """Every active privacy officer gets the same sentence; what it is about is in the log, not in the message."""
    for officer in active(Role.PRIVACY_OFFICER).values_list("pk", flat=True):
        notify(person_id=officer, kind="audit_alarm", about_id=about_id)
