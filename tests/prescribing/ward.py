"""What tests of prescribing need: dr_cho in a visit with pia, her authenticator, a formulary and a pharmacy."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from consults.models import Visit
from prescribing import services
from prescribing.models import Direction, Prescription, ScriptMessage
from telehealth.accounts import totp
from telehealth.accounts.models import TOTPDevice
from telehealth.core import now
from telehealth.outbox.models import Message
from tests.cast import Cast

AMOXICILLIN, PHARMACY = "308191", "2200017"
BAD_LINE, NOT_ON_FILE = "9900600", "9900900"
ORDER: dict[str, Any] = {
    "medication": AMOXICILLIN,
    "pharmacy": PHARMACY,
    "sig": "Take one capsule three times a day",
    "quantity": Decimal(21),
    "days_supply": 7,
    "refills": 1,
    "substitution": True,
    "note": "Penicillin tolerated before",
}


@dataclass
class Ward:
    """One visit under way."""

    cast: Cast
    visit: Visit
    device: TOTPDevice

    def code(self) -> str:
        """A code that is good now, as if the authenticator had just turned."""
        TOTPDevice.objects.filter(pk=self.device.pk).update(last_step=-1)
        return totp.code_at(self.device.seed, totp.step_of(now()))

    def draft(self, **changes: Any) -> Prescription:
        return services.prescribe(visit_id=self.visit.pk, **ORDER | changes, by=self.cast.dr_cho)

    def signed(self, **changes: Any) -> Prescription:
        with transaction.atomic():
            return services.sign(prescription_id=self.draft(**changes).pk, code=self.code(), by=self.cast.dr_cho)


def outgoing_of(prescription: Prescription) -> ScriptMessage:
    return ScriptMessage.objects.get(prescription=prescription, direction=Direction.OUT)


def outbox_of(prescription: Prescription) -> Message:
    return Message.objects.get(object_id=outgoing_of(prescription).pk)


def again(prescription: Prescription) -> Prescription:
    """As it stands in the database now."""
    return Prescription.objects.get(pk=prescription.pk)


def status_of(prescription_id: UUID) -> str:
    return Prescription.objects.get(pk=prescription_id).status
