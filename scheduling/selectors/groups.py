"""Visits of several that are planned and have places left: each is an offer of its own."""

from uuid import UUID

from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery

from scheduling.models import Appointment, GroupVisit, VisitType
from scheduling.selectors.filling import holding, to_come
from scheduling.selectors.free import Run
from scheduling.spans import Span, moment, seconds
from telehealth.records.models import Practitioner


def group_runs(kind: VisitType, who: "QuerySet[Practitioner]", windows: list[Span], patient: UUID | None) -> list[Run]:
    """The planned visits of this kind with places, in the windows and with these providers, at which the patient is free."""
    near = Q(pk__in=[])
    for start, end in windows:
        near |= Q(starts_at__gte=moment(start), starts_at__lt=moment(end))
    found = with_places().filter(near, visit_type=kind, practitioner__in=who)
    if patient:
        during = Func(OuterRef("starts_at"), OuterRef("ends_at"), function="tstzrange")
        found = found.exclude(Exists(holding(party=patient, during__overlap=during)))
    return [(practitioner.int, seconds(start), 1) for practitioner, start in found.values_list("practitioner_id", "starts_at")]


def with_places() -> QuerySet[GroupVisit]:
    """Those that stand and are not full."""
    coming = Appointment.objects.filter(to_come(), group_visit=OuterRef("pk")).order_by().values("group_visit")
    taken = Subquery(coming.annotate(taken=Count("pk")).values("taken"), output_field=IntegerField())
    return GroupVisit.objects.annotate(taken=taken).filter(Q(taken=None) | Q(taken__lt=F("capacity")), is_cancelled=False)
