"""What can be booked: visit types. Administrators' work."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import VisitTypeOdd
from scheduling.models import VisitType
from telehealth.core import later, one, permit


@transaction.atomic
def define_visit_type(*, code: str, name: str, minutes: int, by: Actor, step_minutes: int | None = None, **rest: Any) -> VisitType:
    """A new kind of visit, its starts offered every `step_minutes` (else one after the other). VisitTypeOdd as the database says."""
    permit(by, rules.may_define_visit_types, None)
    kind = VisitType(code=code, name=name, minutes=minutes, step_minutes=step_minutes or minutes, **rest)
    _save(kind)
    record(by, Act.VISIT_TYPE_DEFINED, kind)
    later("scheduling.tasks.keep_expanded")  # its horizon may be farther than any before
    return kind


@transaction.atomic
def change_visit_type(*, visit_type_id: UUID, changes: Mapping[str, Any], by: Actor) -> VisitType:
    """What is booked already keeps its times; the code never changes."""
    permit(by, rules.may_define_visit_types, None)
    kind = one(VisitType.objects.select_for_update(), visit_type_id)
    for name in changes.keys() - {"id", "code"}:
        setattr(kind, name, changes[name])
    _save(kind)
    later("scheduling.tasks.keep_expanded")
    record(by, Act.VISIT_TYPE_CHANGED, kind, detail={"fields": ",".join(sorted(changes))})
    return kind


def _save(kind: VisitType) -> None:
    try:
        with transaction.atomic():
            kind.save()
    except IntegrityError as violation:
        raise VisitTypeOdd() from violation
