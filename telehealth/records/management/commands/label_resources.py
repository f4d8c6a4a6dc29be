from typing import Any

from audit.ledger import SYSTEM
from telehealth.core.command import AuditedCommand
from telehealth.records.services import label_again


class Command(AuditedCommand):
    help = "Label sensitive categories again by today's rules. Opens every chart, on record."

    def handle(self, *args: Any, **options: Any) -> None:
        counts = list(label_again(by=SYSTEM))
        self.stdout.write(f"{sum(counts)} resources of {sum(map(bool, counts))} patients have other labels; {len(counts)} charts were read")
