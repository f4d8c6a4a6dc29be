"""Every write of visits and notes: one function per thing a person does."""

from consults.services.conducting import admit, complete, hold, leave, remove
from consults.services.missing import miss
from consults.services.notes import amend, draft, revise, sign
from consults.services.opening import check_in, open_visit
from consults.services.seating import depart, enter, issue_ticket, redeem_ticket, take_seat
from consults.services.sweeping import abandon_silent, follow_appointments, part_silent

__all__ = [
    "abandon_silent",
    "admit",
    "amend",
    "check_in",
    "complete",
    "depart",
    "draft",
    "enter",
    "follow_appointments",
    "hold",
    "issue_ticket",
    "leave",
    "miss",
    "open_visit",
    "part_silent",
    "redeem_ticket",
    "remove",
    "revise",
    "sign",
    "take_seat",
]
