"""What administrators keep: visit types, hours, exceptions and closures, interpreters and rooms."""

from scheduling.admin.hours import AvailabilityAdmin, ExceptionAdmin
from scheduling.admin.offering import VisitTypeAdmin
from scheduling.admin.resources import BookableResourceAdmin

__all__ = ["AvailabilityAdmin", "BookableResourceAdmin", "ExceptionAdmin", "VisitTypeAdmin"]
