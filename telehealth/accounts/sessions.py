"""Browser sessions: who a session stands for, how long it lasts, and the guard before the portal's pages.

A session holds an account's id, its row in the register, three times and nothing else. Its key changes at sign-in and
when the second factor is shown; it dies with its row, and with the account's password, epoch or switch (`live`).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.module_loading import import_string
from rest_framework.request import Request

from audit.ledger import ANONYMOUS, Actor, current
from telehealth.accounts import devices, factors, live, selectors, services
from telehealth.accounts.errors import SessionLocked
from telehealth.accounts.models import Session, User
from telehealth.core import now
from telehealth.rest.problems import API, MEDIA_TYPE, problem

STARTED, SEEN, FACTOR, EMERGENCY, LOCKED = "started_at", "seen_at", "factor_at", "emergency", "locked_at"
IDLE_STAFF, IDLE_PATIENTS = timedelta(minutes=15), timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SKEW = timedelta(minutes=1)  # how far the clocks of our processes may lie apart: a session of the future would never end


def begin(request: HttpRequest, user: User) -> None:
    """A new session under a new key; whatever the browser brought along is gone."""
    request.session.flush()
    auth.login(request, user, backend="telehealth.accounts.authentication.Accounts")
    device, network = devices.words(request.headers.get("User-Agent", "")), devices.prefix(address_of(request))
    opened = services.open_session(account_id=user.pk, device=device, network=network, by=user.actor)
    request.session[live.SESSION] = str(opened.pk)
    moment = now().isoformat()
    request.session[STARTED] = request.session[SEEN] = moment
    _stand_for(request, actor_of(user, request.session))


def stamp_factor(request: HttpRequest | Request, at: datetime) -> None:
    """A factor was shown: a new key, so that no copy of the old one is worth more than it was. It unlocks, too."""
    request.session.cycle_key()
    request.session[FACTOR] = at.isoformat()
    if is_locked(request.session):
        unlock(request)


def unlock(request: HttpRequest | Request) -> None:
    """The person is back at a session that was locked while a visit went on."""
    services.unlock_session(by=request.by)  # type: ignore[union-attr]  # the SessionClock set it
    request.session.cycle_key()
    del request.session[LOCKED]
    request.session[SEEN] = now().isoformat()


def is_locked(session: SessionBase) -> bool:
    """Whether nothing is shown until the person is back."""
    return LOCKED in session


def touch(request: HttpRequest) -> None:
    """Somebody said: I am here."""
    request.session[SEEN] = now().isoformat()


def time_left(request: HttpRequest) -> tuple[int, int]:
    """Seconds until this session is idle, and until it is over in any case."""
    started, seen = time_in(request.session, STARTED), time_in(request.session, SEEN)
    if started is None or seen is None:
        return 0, 0
    at, user = now(), request.user
    whole = int((started + ABSOLUTE - at).total_seconds())
    return min(whole, int((seen + idle_limit(user) - at).total_seconds())), whole


def declare_emergency(request: HttpRequest | Request, record_id: UUID, until: datetime) -> None:
    """This session alone goes beyond its care relationships, for one record and not longer than that."""
    request.session[EMERGENCY] = {**request.session.get(EMERGENCY, {}), str(record_id): until.isoformat()}
    declared = replace(current().actor, emergency=emergencies_in(request.session))
    _stand_for(request if isinstance(request, HttpRequest) else request._request, declared)  # noqa: SLF001 - DRF has no public name


def emergencies_in(session: SessionBase) -> frozenset[UUID]:
    """Records whose emergency was declared in this session and may still last; the table decides."""
    told: dict[str, str] = session.get(EMERGENCY, {})
    return frozenset(UUID(record) for record, until in told.items() if datetime.fromisoformat(until) > now())


def end(request: HttpRequest, reason: str) -> None:
    """Sign out, on record."""
    services.sign_out(by=actor_of(request.user, request.session), reason=reason)
    auth.logout(request)
    _stand_for(request, ANONYMOUS)


def actor_of(user: Any, session: SessionBase) -> Actor:
    """The actor that a signed-in session stands for; ANONYMOUS without one."""
    if not isinstance(user, User):
        return ANONYMOUS
    return Actor(
        id=user.pk,
        role=user.role,
        session=UUID(known).hex if (known := session.get(live.SESSION)) else "",
        second_factor_at=time_in(session, FACTOR),
        emergency=emergencies_in(session),
        guards_minors=user.guards_minors,
    )


def expired(user: User, session: SessionBase, at: datetime) -> str:
    """Why the session is over at this moment: idle, absolute, or "" while it lasts."""
    started, seen = time_in(session, STARTED), time_in(session, SEEN)
    if started is None or seen is None or at - started > ABSOLUTE or max(started, seen) - at > SKEW:
        return "absolute"
    return "idle" if at - seen > idle_limit(user) else ""


def idle_limit(user: Any) -> timedelta:
    """How long nobody may be there: 15 minutes for the workforce, 30 for patients and proxies."""
    return IDLE_PATIENTS if user.is_patient_side else IDLE_STAFF


def over(user: User, session: SessionBase, at: datetime) -> str:
    """The same, but that idleness ends nothing while the person is in a visit: it locks."""
    reason = expired(user, session, at)
    return "" if reason == "idle" and FACTOR in session and in_visit(user.pk) else reason


def in_visit(account_id: UUID) -> bool:
    """What `SESSION_HELD_BY` says: somebody in a visit in progress is not signed out for silence."""
    path = getattr(settings, "SESSION_HELD_BY", "")
    return bool(path) and bool(import_string(path)(account_id))


def is_activity(request: HttpRequest) -> bool:
    """Whether a person made this request. What a page asks for by itself does not count: scripts mark what a person did
    (`X-Activity`), and without the mark neither a fragment nor anything else that is no navigation keeps a session alive."""
    if request.headers.get("X-Activity") == "yes":
        return True
    navigates = request.headers.get("Sec-Fetch-Dest", "document") in ("document", "iframe")
    return navigates and request.headers.get("HX-Request") != "true"


class SessionClock:
    """Middleware after Django's own: ends what has lasted too long, tells the unit and the request who acts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _stand_for(request, ANONYMOUS)
        held = live.session_in(request.session)
        request.user = held.account if held else AnonymousUser()
        if held is not None:
            self._tick(request, held)
        elif SESSION_KEY in request.session:
            request.session.flush()  # ended, elsewhere or with the account; that is on record already
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Activity is what a person did, unless the page is one that nobody attends to (`unattended`). A locked session
        is answered only by what says so (`while_locked`): the way back, the note's draft, the end of the visit."""
        if getattr(request, "by", ANONYMOUS).id is None or not request.session.get(live.SESSION):
            return None
        face = getattr(view, "view_class", getattr(view, "cls", view))
        if is_locked(request.session):
            open_now = (request.method or "").lower() in getattr(face, "while_locked", ()) or request.path.startswith(settings.STATIC_URL)
            return None if open_now else locked_out(request)
        if not getattr(face, "unattended", False) and is_activity(request):
            self._seen(request)
        return None

    def _tick(self, request: HttpRequest, held: Session) -> None:
        at, user = now(), held.account
        if reason := over(user, request.session, at):
            end(request, reason)
            return
        _stand_for(request, actor_of(user, request.session))
        request.held_session = held  # type: ignore[attr-defined]
        if expired(user, request.session, at) and not is_locked(request.session):
            request.session[LOCKED] = at.isoformat()
            services.lock_session(by=request.by)  # type: ignore[attr-defined]

    def _seen(self, request: HttpRequest) -> None:
        at = now()
        seen = time_in(request.session, SEEN)
        if seen is None or at - seen > live.SEEN_STEP:
            request.session[SEEN] = at.isoformat()
        live.note_seen(request.held_session, at)  # type: ignore[attr-defined]


def locked_out(request: HttpRequest) -> HttpResponseBase:
    """To the lock: a problem for programs, the overlay for a page with a visit on it, else the page of the lock."""
    if request.path.startswith(API):
        told = problem(HTTPStatus.FORBIDDEN, SessionLocked.code)
        return JsonResponse(told, status=HTTPStatus.FORBIDDEN, content_type=MEDIA_TYPE)
    if request.headers.get("HX-Request") == "true":
        headers = {"HX-Trigger": "session-locked", "HX-Retarget": "#alerts", "HX-Reswap": "none"}
        return HttpResponse(status=HTTPStatus.FORBIDDEN, headers=headers)
    return towards(reverse("unlock"), request.get_full_path() if request.method == "GET" else "")


def guard(request: HttpRequest) -> Actor | HttpResponseBase:
    """`PORTAL_GUARD`: who asks, with both factors shown; or the page where they show what is missing."""
    by: Actor = getattr(request, "by", ANONYMOUS)
    if by.id is None:
        return towards(reverse("sign-in"), request.get_full_path() if request.method == "GET" else "")
    if by.second_factor_at is None:
        return towards(factor_page(by), request.get_full_path() if request.method == "GET" else "")
    return by


def step_up(request: HttpRequest, by: Actor) -> HttpResponseBase | None:
    """The page where a fresh factor is shown, leading back here; nothing while the last one is fresh."""
    return None if factors.is_fresh(by) else towards(reverse("step-up-page"), request.get_full_path())


def factor_page(by: Actor) -> str:
    """Where the second factor is shown, or set up by those who have none."""
    return reverse("factor" if selectors.has_factor_device(by) else "enrol-totp")


def towards(address: str, onward: str = "") -> HttpResponseRedirect:
    """A redirect that remembers where the person wanted to go."""
    return HttpResponseRedirect(f"{address}?{urlencode({'next': onward})}" if onward else address)


def onward(request: HttpRequest) -> str:
    """Where to go after signing in: an address of ours that was asked for, else the start page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    secure = request.is_secure()
    return wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=secure) else "/"


def address_of(request: HttpRequest) -> str:
    """The network that guesses come from: the peer's address, or what our own proxy says it is; for IPv6 its /64."""
    told = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        told = request.META.get("HTTP_X_FORWARDED_FOR", told).rpartition(",")[2].strip()
    try:
        address = ip_address(told)
    except ValueError:
        return "unknown"
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _stand_for(request: HttpRequest, actor: Actor) -> None:
    request.by = actor  # type: ignore[attr-defined]
    current().become(actor)


def time_in(session: SessionBase, name: str) -> datetime | None:
    """One of the session's times."""
    text = session.get(name)
    return datetime.fromisoformat(text) if text else None
