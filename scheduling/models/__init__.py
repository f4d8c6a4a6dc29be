from scheduling.models.appointments import Appointment, AppointmentSeries, GroupVisit
from scheduling.models.occupancy import BookableResource, Occupancy
from scheduling.models.offering import Availability, LateCancel, Modality, VisitType, WhoMayBook

__all__ = [
    "Appointment",
    "AppointmentSeries",
    "Availability",
    "BookableResource",
    "GroupVisit",
    "LateCancel",
    "Modality",
    "Occupancy",
    "VisitType",
    "WhoMayBook",
]
