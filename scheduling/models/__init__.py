from scheduling.models.appointments import Appointment, AppointmentSeries, GroupVisit
from scheduling.models.calendars import BusyCalendar, BusyState, CalendarFeed
from scheduling.models.hours import Availability, AvailabilityException, Opening, Schedule, Source
from scheduling.models.occupancy import BookableResource, Occupancy
from scheduling.models.offering import LateCancel, Modality, VisitType, WhoMayBook
from scheduling.models.reminding import AnswerLink, Reminder
from scheduling.models.waitlist import WaitlistEntry, WaitlistOffer

__all__ = [
    "AnswerLink",
    "Appointment",
    "AppointmentSeries",
    "Availability",
    "AvailabilityException",
    "BookableResource",
    "BusyCalendar",
    "BusyState",
    "CalendarFeed",
    "GroupVisit",
    "LateCancel",
    "Modality",
    "Occupancy",
    "Opening",
    "Reminder",
    "Schedule",
    "Source",
    "VisitType",
    "WaitlistEntry",
    "WaitlistOffer",
    "WhoMayBook",
]
