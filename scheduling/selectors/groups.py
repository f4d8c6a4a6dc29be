"""Visits of several that are planned and have places left: each is an offer of its own."""

from uuid import UUID

from django.db.models import Exists, Func, OuterRef, Q, QuerySet

from scheduling.models import VisitType
from scheduling.selectors.filling import holding
from scheduling.selectors.free import Run
from scheduling.selectors.group_visits import group_visits
from scheduling.spans import Span, moment, seconds
from telehealth.records.models import Practitioner


def group_runs(kind: VisitType, who: "QuerySet[Practitioner]", windows: list[Span], patient: UUID | None) -> list[Run]:
    """The planned visits of this kind with places, in the windows and with these providers, at which the patient is free."""
    near = Q(pk__in=[])
    for start, end in windows:
        near |= Q(starts_at__gte=moment(start), starts_at__lt=moment(end))
    found = group_visits(visit_type=kind.code).filter(near, practitioner__in=who, is_cancelled=False, places_left__gt=0)
    if patient:
        during = Func(OuterRef("starts_at"), OuterRef("ends_at"), function="tstzrange")
        found = found.exclude(Exists(holding(party=patient, during__overlap=during)))
    return [(practitioner.int, seconds(start), 1) for practitioner, start in found.values_list("practitioner_id", "starts_at")]
