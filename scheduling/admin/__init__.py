"""What administrators keep: visit types, hours, exceptions and closures."""

from scheduling.admin.hours import AvailabilityAdmin, ExceptionAdmin
from scheduling.admin.offering import VisitTypeAdmin

__all__ = ["AvailabilityAdmin", "ExceptionAdmin", "VisitTypeAdmin"]
