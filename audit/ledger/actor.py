"""Who acts: the one value that services, rules and entries know a person by."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """An account in one role, signed in one way. `session` and `client` are opaque; nothing here is PHI."""

    id: UUID | None
    role: str
    session: str = ""
    client: str = ""
    second_factor_at: datetime | None = None
    scopes: frozenset[str] = frozenset()
    emergency: frozenset[UUID] = frozenset()  # records whose emergency this session has declared
    guards_minors: bool = False  # the account's mark: without it no grant of a minor counts (docs/adr/0007)

    @property
    def account(self) -> UUID:
        """The account's id, for what only somebody who is signed in can do; ValueError for anybody else."""
        if self.id is None:
            raise ValueError(f"{self.role} has no account")
        return self.id


ANONYMOUS = Actor(id=None, role="anonymous")
SYSTEM = Actor(id=None, role="system")
