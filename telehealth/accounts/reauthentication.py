"""When an app wants its person to show a factor again: `max_age`, `prompt`, `acr_values` (OpenID Connect Core 1.0
section 3.1.2.1, RFC 9470). What an address of ours asks for with a challenge, the app asks for here."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.http import QueryDict

from audit.ledger import Actor
from telehealth.accounts.errors import ACR
from telehealth.core import now

PASSED_ON = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method")
OURS = ("max_age", "prompt", "acr_values", "asked")
NOT_SERVED = ("request", "request_uri", "registration")  # OpenID Connect Core 1.0 section 6
PROMPTS = {"none", "login", "consent", "select_account"}
READING = timedelta(minutes=5)  # how long the consent page may be read without another factor
ASKED_LIFE = timedelta(minutes=15)
SALT = "telehealth.accounts.asked"


class Unclear(Exception):
    """An authorisation request that says two things at once, or nothing that can be read."""


@dataclass(frozen=True)
class Wish:
    """What an authorisation request says about the person's factors."""

    query: QueryDict
    prompt: frozenset[str]
    max_age: timedelta | None
    acr_values: frozenset[str]
    asked_at: datetime | None  # when this very request first asked for another sign-in

    @property
    def silent(self) -> bool:
        return "none" in self.prompt

    @property
    def again(self) -> bool:
        """Whether a factor is wanted that was shown after the request came."""
        return "login" in self.prompt or self.max_age == timedelta(0)

    @property
    def met_in_kind(self) -> bool:
        """Whether two factors are what the app wants; we have nothing else to offer."""
        return not self.acr_values or ACR in self.acr_values

    def fresh_enough(self, by: Actor, *, reading: bool) -> bool:
        """Whether the factor of this session will do; `reading`: the page was shown, and is being answered."""
        shown, at = by.second_factor_at, now()
        if shown is None or shown > at:
            return False
        if self.again:
            return self.asked_at is not None and shown >= self.asked_at
        return self.max_age is None or at - shown <= (max(self.max_age, READING) if reading else self.max_age)

    def onward(self) -> str:
        """The query to come back with: it remembers since when another sign-in is wanted."""
        query = self.query.copy()
        if self.again and self.asked_at is None:
            query["asked"] = signing.dumps({"of": _digest(query), "at": now().isoformat()}, salt=SALT)
        return query.urlencode()

    def passed_on(self) -> QueryDict:
        """The query for the toolkit: what it is meant to hear of, and nothing else."""
        told = QueryDict(mutable=True)
        told.update({name: str(self.query[name]) for name in PASSED_ON if name in self.query})
        return told


def read(query: QueryDict) -> Wish:
    """What an authorisation request asks for; Unclear when it repeats itself (RFC 6749 section 3.1) or cannot be meant."""
    if any(name in query for name in NOT_SERVED) or any(len(query.getlist(name)) > 1 for name in PASSED_ON + OURS):
        raise Unclear
    prompt, age = frozenset(query.get("prompt", "").split()), query.get("max_age", "")
    if prompt - PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise Unclear
    if age and not (age.isascii() and age.isdigit() and len(age) < 10):
        raise Unclear
    return Wish(
        query=query,
        prompt=prompt,
        max_age=timedelta(seconds=int(age)) if age else None,
        acr_values=frozenset(query.get("acr_values", "").split()),
        asked_at=_asked_at(query),
    )


def _asked_at(query: QueryDict) -> datetime | None:
    """Our own mark on this very request; anybody else's, another request's or an old one is none."""
    try:
        mark = signing.loads(query.get("asked", ""), salt=SALT, max_age=ASKED_LIFE)
    except signing.BadSignature:
        return None
    return datetime.fromisoformat(mark["at"]) if mark["of"] == _digest(query) else None


def _digest(query: QueryDict) -> str:
    told = sorted((name, value) for name, value in query.items() if name != "asked")
    return hashlib.sha256(repr(told).encode()).hexdigest()
