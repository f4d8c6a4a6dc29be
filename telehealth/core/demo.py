"""What the demonstration's clinic is made of: each app adds its part (`settings.DEMO_CLINIC`)."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass
class DemoClinic:
    """Collected while the apps make their parts. `sign_ins` are printed and kept in demo.json (0600)."""

    sign_ins: list[dict[str, str]] = field(default_factory=list)
    accounts: dict[str, UUID] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)
