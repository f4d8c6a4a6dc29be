"""What a privacy officer does with findings, and what happens when nobody does."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.ledger import Act, Actor, record
from audit.review import rules
from audit.review.errors import FindingClosed, NoteRequired
from audit.review.models import Finding, State, Verdict
from audit.review.selectors.findings import finding_for, findings_for
from telehealth.accounts.access import Action, Role
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.selectors import active
from telehealth.core import now, one, permit
from telehealth.outbox.services import notify

AGAIN = timedelta(days=1)  # what nobody looks at is told once a day


@transaction.atomic
def read_findings(*, filters: Iterable[str], by: Actor) -> None:
    """Somebody looks at the queue; the names of the filters are kept, not what they were set to."""
    record(by, Act.FINDINGS_READ, detail={"filters": sorted(filters)})


@transaction.atomic
def read_finding(*, finding_id: UUID, by: Actor) -> Finding:
    """Somebody looks at one finding; its note opens the record that it is about."""
    finding = finding_for(by, finding_id)
    record(by, Act.FINDINGS_READ, detail={"finding": str(finding.pk)})
    return finding


@transaction.atomic
def close_finding(*, finding_id: UUID, verdict: str, note: str, by: Actor) -> Finding:
    """Give a verdict and say why; needs a fresh factor, and somebody else than who looked. The note is sealed with the
    record, the entry holds the verdict's code. NoteRequired, FindingClosed: a verdict stands."""
    require_fresh(by)
    finding = one(findings_for(by, Action.ACT).select_for_update(of=("self",)), finding_id)
    permit(by, rules.may_close, finding)
    if finding.state == State.CLOSED:
        raise FindingClosed
    if not any(letter.isalnum() for letter in note):
        raise NoteRequired
    finding.state, finding.verdict, finding.note = State.CLOSED, Verdict(verdict), note.strip()
    finding.closed_by, finding.closed_at = by.account, now()
    finding.save(update_fields=["state", "verdict", "note", "closed_by", "closed_at"])
    record(by, Act.FINDING_CLOSED, reason=finding.verdict, detail={"finding": str(finding.pk)})
    return finding


@transaction.atomic
def escalate(*, by: Actor) -> int:
    """Tell every privacy officer of emergency access that nobody has looked at in time; again each day. How many findings."""
    at = now()
    unheard = Q(escalated_at=None) | Q(escalated_at__lte=at - AGAIN)
    late = list(Finding.objects.select_for_update(skip_locked=True).filter(unheard, state=State.OPEN, due_at__lte=at).order_by("due_at"))
    officers = list(active(Role.PRIVACY_OFFICER).values_list("pk", flat=True))
    for finding in late:
        for officer in officers:
            notify(person_id=officer, kind="review_overdue", about_id=finding.pk)
        finding.escalated_at = at
        finding.save(update_fields=["escalated_at"])
        told = {"finding": str(finding.pk), "told": len(officers)}
        record(by, Act.FINDING_ESCALATED, outcome="ok" if officers else "failed", detail=told)
    return len(late)
