"""Visits, who takes part in them, and what is written about them."""

from consults.models.notes import Note
from consults.models.visits import Participant, Visit

__all__ = ["Note", "Participant", "Visit"]
