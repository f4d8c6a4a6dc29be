"""A record to be destroyed, the two privacy officers who decide it, and the command that does it."""

from dataclasses import dataclass
from uuid import UUID

from django.core.management import call_command

from audit.ledger import Actor
from telehealth.records import services
from telehealth.records.models import Destruction
from tests.cast import Cast

WHY = {"code": "retention_over", "why": "Ten years after the last visit."}


@dataclass
class House:
    cast: Cast
    second: Actor

    @property
    def record(self) -> UUID:
        return self.cast.pia_record.pk

    def asked(self) -> Destruction:
        return services.request_destruction(patient_id=self.record, **WHY, by=self.cast.privacy)

    def approved(self) -> Destruction:
        return services.approve_destruction(destruction_id=self.asked().pk, by=self.second)

    def shred(self) -> None:
        call_command("shred_record", str(self.record))
