"""Every write of scheduling, by subject."""

from scheduling.services.booking import Overbooking, book
from scheduling.services.cancelling import cancel
from scheduling.services.offering import change_visit_type, close_hours, define_visit_type, open_hours
from scheduling.services.stepping import arrive, fulfil, mark_no_show

__all__ = [
    "Overbooking",
    "arrive",
    "book",
    "cancel",
    "change_visit_type",
    "close_hours",
    "define_visit_type",
    "fulfil",
    "mark_no_show",
    "open_hours",
]
