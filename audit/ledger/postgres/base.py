"""Django's PostgreSQL backend, with one promise more: a commit carries the openings of its unit.

What was seen inside a transaction is written in that same transaction. If the commit fails, the unit keeps
the rows and writes them when it ends; a rolled-back transaction does not erase what was seen.
"""

from django.db.backends.postgresql import base

from audit.ledger.units import current_or_none, flush

_LASTING = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"


class DatabaseWrapper(base.DatabaseWrapper):
    """Flushes the current unit before each COMMIT of the default connection."""

    def init_connection_state(self) -> None:
        """An entry is on the disk before its commit returns, whatever the server's default: a crash must not take it back."""
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            cursor.execute(_LASTING)

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
