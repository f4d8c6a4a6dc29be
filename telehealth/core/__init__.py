"""What every room shares: the kinds of no, permission, locks, the clock, work for later, bases for sockets and tasks."""

from telehealth.core.clock import now
from telehealth.core.db import constraint, lock, one
from telehealth.core.permission import permit
from telehealth.core.queue import later

__all__ = ["constraint", "later", "lock", "now", "one", "permit"]
