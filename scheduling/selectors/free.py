"""Free time of many providers in one statement: PostgreSQL's multiranges do the arithmetic, what comes back are runs of starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from psycopg.types.range import Range

from scheduling.models import VisitType
from scheduling.spans import Span, moment
from telehealth.core import now
from telehealth.records.models import Practitioner

Run = tuple[int, int, int]
"""Starts at equal steps: the number of the provider (`UUID.int`), the first start, how many."""

# A start is good while the visit fits (closed at both ends), unless it would meet what is taken (open at both ends: to
# touch is no clash). Openings that share a phase are one grid, so that no start comes twice.
FREE = """
WITH who AS MATERIALIZED ({who}),
asked AS (
    SELECT range_agg(tstzrange(to_timestamp(begins), to_timestamp(ends))) AS starts
    FROM unnest(%(begins)s::bigint[], %(ends)s::bigint[]) AS span (begins, ends)
),
hours AS (
    SELECT who.id, o.during, o.opens FROM who JOIN scheduling_opening o ON o.practitioner_id = who.id
    WHERE o.during && %(visits)s AND (o.visit_type_id IS NULL OR o.visit_type_id = %(kind)s)
),
fits AS (
    SELECT id, range_agg(tstzrange(lower(span), upper(span) - %(length)s, '[]')) AS starts
    FROM (
        SELECT id, range_agg(during) FILTER (WHERE opens) - coalesce(range_agg(during) FILTER (WHERE NOT opens), '{{}}') AS open
        FROM hours GROUP BY id
    ) there, unnest(open) AS span
    WHERE upper(span) - %(length)s >= lower(span) GROUP BY id
),
busy AS (
    SELECT who.id, range_agg(tstzrange(lower(during) - %(length)s - %(after)s, upper(during) + %(before)s, '()')) AS starts
    FROM who JOIN scheduling_occupancy o ON o.party = who.id
    WHERE o.live AND (o.held_until IS NULL OR o.held_until > %(now)s) AND o.during && %(taken)s GROUP BY who.id
),
grid AS (
    SELECT id, mod(date_part('epoch', lower(during))::bigint, %(step)s) AS phase, range_agg(during) AS starts
    FROM hours WHERE opens GROUP BY 1, 2
){more},
runs AS (
    SELECT id, lo + mod(phase - mod(lo, %(step)s) + %(step)s, %(step)s) AS first, hi
    FROM (
        SELECT grid.id, phase, ceil(date_part('epoch', lower(span)))::bigint AS lo,
            CASE WHEN upper_inc(span) THEN floor(date_part('epoch', upper(span)))::bigint
                ELSE ceil(date_part('epoch', upper(span)))::bigint - 1 END AS hi
        FROM asked, grid JOIN fits USING (id) LEFT JOIN busy USING (id){joins},
            unnest(asked.starts * grid.starts * (fits.starts - coalesce(busy.starts, '{{}}')){minus}) AS span
    ) spans
)
SELECT id, array_agg(first), array_agg((hi - first) / %(step)s + 1) FROM runs WHERE first <= hi GROUP BY id
"""
# The time of one party without buffers: a patient's, or of what the visit needs.
_ALONE = """
    SELECT range_agg(tstzrange(lower(during) - %(length)s, upper(during), '()')) FROM scheduling_occupancy o
    WHERE o.party = {party} AND o.live AND (o.held_until IS NULL OR o.held_until > %(now)s) AND o.during && %(visits)s
"""
PATIENT = "engaged AS (SELECT ({alone}) AS starts)".replace("{alone}", _ALONE.format(party="%(patient)s"))
# No time is good in which each one of a kind is taken; none at all where there is nobody of that kind.
NEEDS = """
wanting AS (
    SELECT range_agg(starts) AS starts FROM (
        SELECT range_intersect_agg(CASE WHEN r.id IS NULL THEN '{(,)}' ELSE coalesce(({alone}), '{}') END) AS starts
        FROM unnest(%(needs)s::text[]) AS need LEFT JOIN scheduling_bookableresource r ON r.kind = need AND r.id = ANY(%(suitable)s)
        GROUP BY need
    ) each
)""".replace("{alone}", _ALONE.format(party="r.id"))
FULL = """
full_days AS (
    SELECT id, range_agg(tstzrange(to_timestamp(begins), to_timestamp(ends))) AS starts
    FROM unnest(%(full_who)s::uuid[], %(full_begins)s::bigint[], %(full_ends)s::bigint[]) AS span (id, begins, ends) GROUP BY id
)"""


@dataclass(frozen=True)
class Search:
    """What is looked for: starts in `windows` (in order) for a visit type, with any of `who`; what else must be free."""

    kind: VisitType
    who: "QuerySet[Practitioner]"
    windows: Sequence[Span]
    patient: UUID | None = None
    full: Sequence[tuple[UUID, Span]] = field(default=())
    """Days on which a provider takes no more visits of the kind."""
    suitable: Sequence[UUID] = ()
    """Interpreters and rooms who will do for what the kind needs."""


def runs(search: Search) -> list[Run]:
    """All starts that can be booked, as runs, in no order. One statement, however many providers."""
    if not search.windows:
        return []
    statement, parameters = _statement(search)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchall()
    return [(who.int, first, count) for who, firsts, counts in found for first, count in zip(firsts, counts, strict=True)]


def _statement(search: Search) -> tuple[str, dict[str, Any]]:
    parts = [name for name, wanted in (("engaged", search.patient), ("wanting", search.kind.needs), ("full_days", search.full)) if wanted]
    tables = {"engaged": PATIENT, "wanting": NEEDS, "full_days": FULL}
    joins = {"engaged": " CROSS JOIN engaged", "wanting": " CROSS JOIN wanting", "full_days": " LEFT JOIN full_days USING (id)"}
    who, given = _named(search.who)
    statement = FREE.format(
        who=who,
        more="".join(f", {tables[part]}" for part in parts),
        joins="".join(joins[part] for part in parts),
        minus="".join(f" - coalesce({part}.starts, '{{}}')" for part in parts),
    )
    return statement, {**_parameters(search), **given}


def _named(who: "QuerySet[Practitioner]") -> tuple[str, dict[str, Any]]:
    """A query of Django's as text with names for its parameters."""
    text, values = who.order_by().values("id").query.sql_with_params()
    names = {f"who{n}": value for n, value in enumerate(values)}
    return text.replace("%s", "{}").format(*(f"%({name})s" for name in names)), names


def _parameters(search: Search) -> dict[str, Any]:
    shape, begin, end = search.kind.shape, search.windows[0][0], search.windows[-1][1]
    full_begins, full_ends = ([span[n] for _, span in search.full] for n in (0, 1))
    return {
        "begins": [start for start, _ in search.windows],
        "ends": [end for _, end in search.windows],
        "visits": _between(begin, end + shape.length),
        "taken": _between(begin - shape.before, end + shape.length + shape.after),
        "kind": search.kind.pk,
        "length": _seconds(shape.length),
        "before": _seconds(shape.before),
        "after": _seconds(shape.after),
        "step": shape.step,
        "now": now(),
        "patient": search.patient,
        "needs": list(search.kind.needs),
        "suitable": list(search.suitable),
        "full_who": [who for who, _ in search.full],
        "full_begins": full_begins,
        "full_ends": full_ends,
    }


def _between(start: int, end: int) -> Range[datetime]:
    return Range(moment(start), moment(end))


def _seconds(length: int) -> timedelta:
    return timedelta(seconds=length)
