"""Reads: what is offered to everybody, and the appointments that the actor may see."""

from scheduling.selectors.appointments import appointment_for, appointments_for, left_open, series_for, stands_for
from scheduling.selectors.calendars import busy_calendars_for, events_of, feeds_for, invited
from scheduling.selectors.duty import is_on_duty
from scheduling.selectors.group_visits import group_visit, group_visits
from scheduling.selectors.hours import exceptions_for, hours_for
from scheduling.selectors.needs import bookable_resources
from scheduling.selectors.offers import SlotPage, slots, visit_types
from scheduling.selectors.plan import calendar_of, calendars_for, on_calendar, plan_for
from scheduling.selectors.schedules import schedules_due
from scheduling.selectors.waitlist import offers_to_settle, waited_in_vain, waiting_in_order, waitlist_entry_for, waitlist_for

__all__ = [
    "SlotPage",
    "appointment_for",
    "appointments_for",
    "bookable_resources",
    "busy_calendars_for",
    "calendar_of",
    "calendars_for",
    "events_of",
    "exceptions_for",
    "feeds_for",
    "group_visit",
    "group_visits",
    "hours_for",
    "invited",
    "is_on_duty",
    "left_open",
    "offers_to_settle",
    "on_calendar",
    "plan_for",
    "schedules_due",
    "series_for",
    "slots",
    "stands_for",
    "visit_types",
    "waited_in_vain",
    "waiting_in_order",
    "waitlist_entry_for",
    "waitlist_for",
]
