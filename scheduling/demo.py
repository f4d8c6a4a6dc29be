"""The demonstration's visit types, and four providers who are there round the clock (`DEMO_CLINIC`)."""

from datetime import time
from typing import Any

from audit.ledger import SYSTEM
from scheduling import services
from scheduling.models import Availability, VisitType
from telehealth.core.demo import DemoClinic
from telehealth.records.models import Practitioner

PROVIDERS = ("cho", "dee", "eli", "fay")
VISIT_TYPES: dict[str, dict[str, Any]] = {
    "video-10": {"name": "Video visit, 10 minutes", "minutes": 10},
    "video-30": {
        "name": "Video visit, 30 minutes",
        "minutes": 30,
        "step_minutes": 15,
        "buffer_after": 10,
        "lead_minutes": 120,
        "checkin_opens_minutes": 30,
    },
    "audio-30": {
        "name": "Telephone visit, 30 minutes",
        "modality": "audio",
        "minutes": 30,
        "step_minutes": 30,
        "lead_minutes": 120,
        "checkin_opens_minutes": 30,
    },
}


def make(clinic: DemoClinic) -> None:
    """Add them; what is there already stays."""
    known = set(VisitType.objects.values_list("code", flat=True))
    for code, facts in VISIT_TYPES.items():
        if code not in known:
            services.define_visit_type(code=code, by=SYSTEM, **facts)
    for key in PROVIDERS:
        practitioner = Practitioner.objects.get(pk=clinic.ids[f"practitioner_{key}"])
        if not Availability.objects.filter(practitioner=practitioner).exists():
            _round_the_clock(practitioner)


def _round_the_clock(practitioner: Practitioner) -> None:
    services.open_hours(
        practitioner_id=practitioner.pk,
        rrule="FREQ=DAILY",
        starts=time.min,
        ends=time.min,
        timezone=practitioner.timezone,
        by=SYSTEM,
    )
