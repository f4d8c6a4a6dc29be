"""After an upgrade: make good what an older release did not write."""

from collections import Counter
from typing import Any

from audit.ledger import SYSTEM
from telehealth.core.command import AuditedCommand
from telehealth.records.services import catch_up


class Command(AuditedCommand):
    """Run it again when it was interrupted: what is done already is only looked at."""

    help = "Write the indexes, sealed values and labels that rows of an older release lack. Opens every chart, on record."

    def handle(self, *args: Any, **options: Any) -> None:
        done: Counter[str] = Counter(indexes=0, dea_numbers=0, labels=0)
        for what, count in catch_up(by=SYSTEM):
            done[what] += count
        self.stdout.write(", ".join(f"{what}: {count}" for what, count in done.items()))
