"""Who did not come: said by the clock, after a grace, and never when it was the provider who was late."""

from uuid import UUID

from django.db import transaction

import scheduling.services
from audit.ledger import SYSTEM, Actor
from consults import selectors
from consults.models import Visit
from scheduling.models import Appointment
from telehealth.core import lock


@transaction.atomic
def miss(*, appointment_id: UUID, by: Actor = SYSTEM) -> bool:
    """The patient has not come, though the provider was there: the appointment is a no-show. Looked at again under its locks,
    so that one who checks in at this moment is here."""
    list(Visit.objects.select_for_update().filter(appointment_id=appointment_id))  # first, as whoever steps a visit
    lock(appointment_id)
    if appointment_id not in selectors.overdue(by):
        return False
    if not selectors.provider_was_there(Appointment.objects.select_related("practitioner").get(pk=appointment_id)):
        return False
    scheduling.services.mark_no_show(appointment_id=appointment_id, by=by)
    return True
