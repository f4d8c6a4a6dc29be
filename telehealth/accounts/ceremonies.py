"""The session's side of a passkey ceremony: what was asked, what for, and that it is answered once and soon."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest

from audit.ledger import refuse
from audit.ledger.keys import keyed_hash
from telehealth.accounts.errors import PasskeyWrong
from telehealth.accounts.passkeys import Options, State
from telehealth.core import now

KEY = "passkey"
LIFE = timedelta(minutes=5)
LONGEST = 20_000  # characters of an answer

SIGN_IN, FACTOR, STEP_UP, REGISTER, SIGN = "sign-in", "factor", "step-up", "register", "sign"
ANSWER = "answer"  # the field of a form that carries what the authenticator said


def begin(request: HttpRequest, state: State, purpose: str, about: str = "") -> None:
    """Keep what was asked; a ceremony that was under way in this session is over."""
    request.session[KEY] = {**state, "purpose": purpose, "about": about, "at": now().isoformat()}


def answered(request: HttpRequest) -> bool:
    """Whether this form carries a passkey's answer instead of what its fields ask for."""
    return bool(request.POST.get(ANSWER))


def take(request: HttpRequest, purpose: str, about: str = "") -> dict[str, Any]:
    """State and answer, for a service; PasskeyWrong when nothing was asked, not for this, too long ago, or it is used up."""
    state: State | None = request.session.pop(KEY, None)
    answer = _parsed(request.POST.get(ANSWER, ""))
    if answer is None or state is None or not _stands(state, purpose, about):
        refuse(request.by, "passkey_wrong")  # type: ignore[attr-defined]  # the SessionClock set it
        raise PasskeyWrong
    return {"state": state, "answer": answer}


def _stands(state: State, purpose: str, about: str) -> bool:
    meant = (state["purpose"], state["about"]) == (purpose, about)
    soon = now() - datetime.fromisoformat(state["at"]) <= LIFE
    # Two requests may both have read the session before either wrote it: one of them gets through here.
    return meant and soon and bool(cache.add(f"passkey:{keyed_hash(state['challenge'])}", 1, LIFE.total_seconds()))


def _parsed(text: str) -> Options | None:
    try:
        told = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
