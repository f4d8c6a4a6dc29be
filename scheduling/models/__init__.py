from scheduling.models.appointments import Appointment, AppointmentSeries, GroupVisit
from scheduling.models.calendars import BusyCalendar, BusyState, CalendarFeed
from scheduling.models.occupancy import BookableResource, Occupancy
from scheduling.models.offering import Availability, LateCancel, Modality, VisitType, WhoMayBook

__all__ = [
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
    "VisitType",
    "WhoMayBook",
]
