from scheduling.models.appointments import Appointment, AppointmentSeries, GroupVisit
from scheduling.models.calendars import BusyCalendar, BusyState, CalendarFeed
from scheduling.models.occupancy import BookableResource, Occupancy
from scheduling.models.offering import Availability, LateCancel, Modality, VisitType, WhoMayBook
from scheduling.models.reminding import AnswerLink, Reminder

__all__ = [
    "AnswerLink",
    "Appointment",
    "AppointmentSeries",
    "Availability",
    "BookableResource",
    "BusyCalendar",
    "BusyState",
    "CalendarFeed",
    "GroupVisit",
    "LateCancel",
    "Modality",
    "Occupancy",
    "Reminder",
    "VisitType",
    "WhoMayBook",
]
