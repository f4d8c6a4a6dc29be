"""Every write of scheduling, by subject."""

from scheduling.services.booking import book
from scheduling.services.cancelling import cancel
from scheduling.services.expiring import sweep_holds
from scheduling.services.holding import confirm, hold, release_hold
from scheduling.services.offering import change_visit_type, close_hours, define_visit_type, open_hours
from scheduling.services.rescheduling import reschedule
from scheduling.services.stepping import arrive, fulfil, mark_no_show
from scheduling.services.wishes import Overbooking

__all__ = [
    "Overbooking",
    "arrive",
    "book",
    "cancel",
    "change_visit_type",
    "close_hours",
    "confirm",
    "define_visit_type",
    "fulfil",
    "hold",
    "mark_no_show",
    "open_hours",
    "release_hold",
    "reschedule",
    "sweep_holds",
]
