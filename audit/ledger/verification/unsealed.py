"""Entries that are not in the tree: waiting, forged, or put in where the sealer could not have missed them."""

from dataclasses import dataclass, field

from audit.ledger.entries import text_sql
from audit.ledger.keys import mac
from audit.ledger.verification.report import MOST
from audit.ledger.verification.sessions import Session

# After a dump was restored transactions count from the beginning: a mark above them all tells nothing.
_UNSEALED = f"""
    SELECT e.id::text, convert_to({text_sql("e")}, 'UTF8'), e.mac,
           e.xid < %(mark)s::text::xid8 AND %(mark)s::text::xid8 <= pg_snapshot_xmax(pg_current_snapshot())
    FROM public.audit_entry e
    WHERE e.xid >= %(from)s::text::xid8 AND NOT EXISTS (SELECT FROM public.audit_leaf l WHERE l.entry_id = e.id) ORDER BY e.id
"""  # noqa: S608  # our own names


@dataclass(slots=True)
class Unsealed:
    """How many there are, and (kind, entry) of those that are damage."""

    count: int = 0
    odd: list[tuple[str, str]] = field(default_factory=list)


def unsealed(session: Session, mark: str, since: str) -> Unsealed:
    """`mark`: below this transaction everything was sealed; `since`: below that one nothing is looked at."""
    found = Unsealed()
    with session.cursor("unsealed", binary=True) as cursor:
        cursor.itersize = 2_000
        cursor.execute(_UNSEALED, {"mark": mark, "from": since})
        for entry, text, code, missed in cursor:
            found.count += 1
            kind = "forged" if mac(text) != code else "inserted" if missed else ""
            if kind and len(found.odd) < MOST:
                found.odd.append((kind, entry))
    return found
