"""Every write of scheduling, by subject."""

from scheduling.services.answering import answer
from scheduling.services.booking import book
from scheduling.services.busy import add_busy_calendar, end_busy_calendars, read_busy_calendars, remove_busy_calendar
from scheduling.services.cancelling import cancel
from scheduling.services.chain import accept_offer, decline_offer, offer_next, settle_offer
from scheduling.services.expanding import expand
from scheduling.services.expiring import sweep_holds
from scheduling.services.feeding import end_feeds, make_feed, open_feed, revoke_feed
from scheduling.services.grouping import cancel_group_visit, plan_group_visit
from scheduling.services.holding import confirm, hold, release_hold
from scheduling.services.hours import close_hours, except_hours, lift_exception, open_hours, set_busy
from scheduling.services.offering import change_visit_type, define_visit_type
from scheduling.services.reassigning import Move, reassign
from scheduling.services.reminding import make_reminders
from scheduling.services.repeating import book_series, cancel_series
from scheduling.services.rescheduling import reschedule
from scheduling.services.resources import change_resource, define_resource
from scheduling.services.stepping import arrive, fulfil, mark_no_show
from scheduling.services.waiting import give_up_waiting, join_waitlist, leave_waitlist
from scheduling.services.warning import warn_unlicensed
from scheduling.services.wishes import Overbooking

__all__ = [
    "Move",
    "Overbooking",
    "accept_offer",
    "add_busy_calendar",
    "answer",
    "arrive",
    "book",
    "book_series",
    "cancel",
    "cancel_group_visit",
    "cancel_series",
    "change_resource",
    "change_visit_type",
    "close_hours",
    "confirm",
    "decline_offer",
    "define_resource",
    "define_visit_type",
    "end_busy_calendars",
    "end_feeds",
    "except_hours",
    "expand",
    "fulfil",
    "give_up_waiting",
    "hold",
    "join_waitlist",
    "leave_waitlist",
    "lift_exception",
    "make_feed",
    "make_reminders",
    "mark_no_show",
    "offer_next",
    "open_feed",
    "open_hours",
    "plan_group_visit",
    "read_busy_calendars",
    "reassign",
    "release_hold",
    "remove_busy_calendar",
    "reschedule",
    "revoke_feed",
    "set_busy",
    "settle_offer",
    "sweep_holds",
    "warn_unlicensed",
]
