"""What the clinic's people are told about an appointment that cannot be kept as it stands."""

from uuid import UUID

from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from scheduling.models import Appointment
from telehealth.accounts.access import Role
from telehealth.accounts.selectors import active
from telehealth.core import lock
from telehealth.outbox.models import Message
from telehealth.outbox.services import notify


@transaction.atomic
def warn_unlicensed(*, appointment_id: UUID, by: Actor = SYSTEM) -> bool:
    """The provider may not practise where the patient will be: the front desk and the provider hear of it, once per time."""
    appointment = Appointment.objects.select_related("practitioner").get(pk=appointment_id)
    key = f"unlicensed:{appointment.pk}:{appointment.sequence}"
    lock(appointment.pk)
    if Message.objects.filter(key__startswith=key).exists():
        return False
    told = {*active(Role.FRONT_DESK).values_list("pk", flat=True), appointment.practitioner.account_id}
    for person in filter(None, told):
        notify(person_id=person, kind="appointment_unlicensed", about_id=appointment.pk, key=f"{key}:{person}")
    record(by, Act.APPOINTMENT_UNLICENSED, appointment, detail={"practitioner": str(appointment.practitioner_id)})
    return True
