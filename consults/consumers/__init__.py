"""The sockets of visits and of the staff's queue."""

from consults.consumers.queue import QueueSocket
from consults.consumers.visit import VisitSocket

__all__ = ["QueueSocket", "VisitSocket"]
