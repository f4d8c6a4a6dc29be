"""Guessing made slow: a few attempts are free, then each failure doubles the wait; ten lock an account for an hour at a
time. Counted in the cache, by keyed hash. (Why neither django-axes nor DRF's throttles: docs/adr/0004.)

An attempt is counted before it is tried, so that a burst of parallel guesses gains nothing; success forgives.
"""

from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from audit.ledger import current, refuse
from audit.ledger.keys import keyed_hash
from telehealth.accounts.errors import TooManyAttempts
from telehealth.core import now

FIRST_WAIT = 15  # seconds
LONGEST_WAIT = 900
LOCK_AT = 10  # consecutive failures: from then on one attempt an hour; passkeys are not asked and pass
LOCKED_FOR = 3600
HARD_LIMIT = 100  # consecutive failures (NIST SP 800-63B 5.2.2)
REMEMBERED = 24 * 3600
FREE_PER_ACCOUNT = 5
FREE_PER_ADDRESS = 100
ADDRESS_REMEMBERED = 3600  # many people may share one


class Throttle:
    """One thing that can be guessed at, such as "the password of" an e-mail address."""

    def __init__(self, kind: str, subject: str, free: int = FREE_PER_ACCOUNT, remembered: int = REMEMBERED) -> None:
        name = f"throttle:{kind}:{keyed_hash(subject)}"
        self.count_key, self.wait_key = f"{name}:count", f"{name}:wait"
        self.free, self.remembered = free, remembered
        self.locks = False

    def attempt(self) -> None:
        """Count one attempt, or raise TooManyAttempts without counting it."""
        cache.add(self.count_key, 0, self.remembered)
        count = self._step(1)
        self.locks = count == LOCK_AT and self.free < LOCK_AT
        if count <= self.free:
            return
        wait = self._wait(count)
        until = now() + timedelta(seconds=wait)
        if not cache.add(self.wait_key, until.timestamp(), wait):
            self._step(-1)
            refuse(current().actor, "too_many_attempts")
            known = cache.get(self.wait_key, until.timestamp())
            raise TooManyAttempts(reply={"retry_at": datetime.fromtimestamp(known, UTC).isoformat()})

    def forgive(self) -> None:
        """It was the right person: their failures count no longer."""
        cache.delete_many([self.count_key, self.wait_key])

    def give_back(self) -> None:
        """This one attempt was no guess; earlier ones stay counted (for addresses, which many share)."""
        self._step(-1)

    def _step(self, by: int) -> int:
        try:
            counted: int = cache.incr(self.count_key, by)
        except ValueError:  # it expired in between
            return 1
        return counted

    def _wait(self, count: int) -> int:
        if count >= HARD_LIMIT + self.free - FREE_PER_ACCOUNT:
            return self.remembered
        if self.free < LOCK_AT <= count:
            return LOCKED_FOR
        doublings = min(count - self.free - 1, 10)
        return min(FIRST_WAIT << doublings, LONGEST_WAIT)
