"""Interpreters and rooms: what a visit can take beside its provider and patient. Administrators' work."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import ResourceOdd
from scheduling.models import BookableResource
from scheduling.statuses import Need
from telehealth.core import one, permit

CHANGEABLE = frozenset({"name", "account_id", "languages", "is_active"})


@transaction.atomic
def define_resource(
    *, kind: str, name: str, by: Actor, account_id: UUID | None = None, languages: list[str] | None = None
) -> BookableResource:
    """An interpreter with their languages, or a room. ResourceOdd for an interpreter without any, a room with some, an account twice."""
    permit(by, rules.may_define_resources, None)
    made = BookableResource(kind=Need(kind), name=name, account_id=account_id, languages=languages or [])
    _save(made)
    record(by, Act.RESOURCE_DEFINED, made, reason=made.kind)
    return made


@transaction.atomic
def change_resource(*, resource_id: UUID, changes: Mapping[str, Any], by: Actor) -> BookableResource:
    """What is booked keeps it; switched off, it is chosen no more. Its kind never changes."""
    permit(by, rules.may_change_resources, None)
    found = one(BookableResource.objects.select_for_update(), resource_id)
    for name in changes.keys() & CHANGEABLE:
        setattr(found, name, changes[name])
    _save(found)
    record(by, Act.RESOURCE_CHANGED, found, detail={"fields": ",".join(sorted(changes))})
    return found


def _save(found: BookableResource) -> None:
    is_room = found.kind == Need.ROOM
    if not found.name.strip() or is_room == bool(found.languages) or (is_room and found.account_id):
        raise ResourceOdd()
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as violation:
        raise ResourceOdd() from violation
