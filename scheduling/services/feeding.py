"""The secret address of a provider's calendar: made, renewed, revoked, read."""

import hashlib
import secrets
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from scheduling import rules
from scheduling.models import CalendarFeed
from scheduling.selectors.calendars import feed_to_revoke
from telehealth.accounts.models import User
from telehealth.core import now, one, permit
from telehealth.core.errors import Missing
from telehealth.records.models import Practitioner
from telehealth.records.selectors import practitioner_of

SECRET_BYTES = 32
FEED = "scheduling.CalendarFeed"


@transaction.atomic
def make_feed(*, by: Actor) -> tuple[CalendarFeed, str]:
    """One's own feed and its address, which is shown this once. The former address stops working in the same moment."""
    permit(by, rules.may_publish_calendar, None)
    practitioner = practitioner_of(by.id)
    if practitioner is None:
        raise Missing(kind="records.Practitioner")
    Practitioner.objects.select_for_update().get(pk=practitioner.pk)
    _revoke(list(CalendarFeed.objects.filter(practitioner=practitioner, revoked_at=None)), by)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    feed = CalendarFeed.objects.create(practitioner=practitioner, digest=_digest(secret), created_by=by.id)
    record(by, Act.CALENDAR_FEED_MADE, feed, detail={"practitioner": str(practitioner.pk)})
    return feed, f"{settings.PUBLIC_URL.rstrip('/')}/calendars/{secret}.ics"


@transaction.atomic
def revoke_feed(*, feed_id: UUID, by: Actor) -> None:
    """The address is nothing any more."""
    _revoke([one(feed_to_revoke(by).select_for_update(of=("self",)), feed_id)], by)


@transaction.atomic
def end_feeds(*, account_id: UUID, by: Actor) -> dict[str, int]:
    """For `LEAVERS`: who has left publishes nothing."""
    lasting = list(CalendarFeed.objects.select_for_update(of=("self",)).filter(practitioner__account_id=account_id, revoked_at=None))
    _revoke(lasting, by)
    return {"calendar_feeds": len(lasting)}


def _revoke(feeds: list[CalendarFeed], by: Actor) -> None:
    for feed in feeds:
        feed.revoked_at = now()
        feed.save(update_fields=["revoked_at"])
        record(by, Act.CALENDAR_FEED_REVOKED, feed, detail={"practitioner": str(feed.practitioner_id)})


@transaction.atomic
def open_feed(*, secret: str, by: Actor) -> CalendarFeed:
    """The feed under that secret, on record as read. Missing, on record too, when there is none, when it was revoked, or
    when its provider may not sign in at present."""
    feed = CalendarFeed.objects.filter(digest=_digest(secret)).select_related("practitioner").first()
    if feed is None:
        refuse(by, "feed_unknown", kind=FEED)
        raise Missing(kind=FEED)
    account_id = feed.practitioner.account_id
    account = User.objects.filter(pk=account_id).first() if account_id else None
    if feed.revoked_at is not None or account is None or not account.is_here:
        refuse(by, "feed_revoked", kind=FEED, pk=feed.pk)
        raise Missing(kind=FEED)
    record(by, Act.CALENDAR_READ, feed, detail={"practitioner": str(feed.practitioner_id)})
    return feed


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
