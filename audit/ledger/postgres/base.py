"""Django's PostgreSQL backend, with one promise more: a commit carries the openings of its unit.

What was seen inside a transaction is written in that same transaction. If the commit fails, the unit keeps
the rows and writes them when it ends; a rolled-back transaction does not erase what was seen.
"""

from django.db.backends.postgresql import base

from audit.ledger.units import current_or_none, flush


class DatabaseWrapper(base.DatabaseWrapper):
    """Flushes the current unit before each COMMIT of the default connection."""

    def _commit(self) -> None:
        unit = current_or_none()
        if self.connection is None or unit is None or self.alias != "default":
            super()._commit()  # type: ignore[misc]  # private, and the only place to stand between flush and COMMIT
            return
        rows = flush(self.alias)
        try:
            super()._commit()  # type: ignore[misc]
        except BaseException:
            unit.give_back(rows)
            raise
