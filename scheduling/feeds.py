"""`/calendars/<secret>.ics`: a provider's appointment times for whoever knows the secret, which a calendar program does."""

import hashlib

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import translation
from django.views.decorators.http import require_safe

from audit.ledger import Actor, current, refuse
from audit.ledger.keys import keyed_hash
from scheduling import ical, selectors, services
from scheduling.services.feeding import FEED
from telehealth.accounts.sessions import address_of
from telehealth.core.errors import Missing

READER = Actor(id=None, role="calendar_reader")
WINDOW = 600  # seconds
MOST_READS = 60  # of one feed in a window: programs ask every few minutes
MOST_MISSES = 30  # from one network in a window


@require_safe
def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """The feed as text/calendar; 304 when the reader's copy is fresh; 404 for a secret that is none (any more); 429."""
    current().become(READER)
    network = f"feed:misses:{keyed_hash(address_of(request))}"
    if int(cache.get(network, 0)) >= MOST_MISSES:
        return _too_many()
    try:
        feed = services.open_feed(secret=secret, by=READER)
    except Missing:
        _count(network)
        return HttpResponseNotFound()
    if _count(f"feed:reads:{feed.pk}") > MOST_READS:
        return _too_many()
    with translation.override(settings.LANGUAGE_CODE):  # not the reader's: the same feed says the same to all
        text = ical.feed(selectors.events_of(feed.practitioner_id)).encode()
    return _reply(request, text)


def _reply(request: HttpRequest, text: bytes) -> HttpResponse:
    etag = f'"{hashlib.sha256(text).hexdigest()}"'
    known = {each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")}
    fresh = etag in known
    response = HttpResponse(b"" if fresh else text, status=304 if fresh else 200, content_type="text/calendar; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    return response


def _count(name: str) -> int:
    """How often it happened in this window, this time included."""
    cache.add(name, 0, WINDOW)
    try:
        return int(cache.incr(name))
    except ValueError:  # the window ended in between
        return 1


def _too_many() -> HttpResponse:
    refuse(READER, "too_many_reads", kind=FEED)
    return HttpResponse(status=429, headers={"Retry-After": str(WINDOW)})
