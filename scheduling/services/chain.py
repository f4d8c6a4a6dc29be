"""The chain of offers: a start that is free is held for one who waits at a time, in order, until somebody takes it.

Each link is one transaction, and what is due is found in the tables: whoever is killed between two of them, the next pass goes on.
Locks: the chain's, an entry's, then as in `changing`.
"""

from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from scheduling.errors import OfferOver
from scheduling.models import WaitlistEntry, WaitlistOffer
from scheduling.selectors import waitlist
from scheduling.selectors.waitlist import Start
from scheduling.services.holding import confirm, hold, release_hold
from scheduling.services.waiting import close, stand
from scheduling.statuses import CancelReason, OfferState, Status, WaitlistStatus
from telehealth.core import lock, now
from telehealth.core.errors import Conflict, Invalid
from telehealth.outbox.services import notify

CHAIN = UUID("0b6f3d3e-5f0a-4c55-9d6c-6f8b1f2f7c11")
MOST_TRIED = 50
NEAREST = timedelta(minutes=2)
"""Nobody is offered what they would have to answer within this time."""


@transaction.atomic
def offer_next(*, entry_id: UUID, by: Actor = SYSTEM) -> WaitlistOffer | None:
    """Hold the earliest start that fits for this one, and tell them. One that fits somebody before them is theirs: it may
    have become free since they were looked at."""
    lock(CHAIN)
    lock(entry_id)
    entry = WaitlistEntry.objects.select_related("visit_type").filter(pk=entry_id, status=WaitlistStatus.WAITING).first()
    if entry is None:
        return None
    for start in islice(waitlist.starts_for(entry), MOST_TRIED):
        if not any(_offer(each, start, by) for each in waitlist.before(entry) if waitlist.fits(each, start)):
            if made := _offer(entry, start, by):
                return made
    return None


def _offer(entry: WaitlistEntry, start: Start, by: Actor) -> WaitlistOffer | None:
    """None when it cannot be held after all, or they wait no longer."""
    until = expiry(start.at)
    lock(entry.pk)
    if until < now() + NEAREST or not WaitlistEntry.objects.filter(pk=entry.pk, status=WaitlistStatus.WAITING).exists():
        return None
    try:
        with transaction.atomic():
            held = hold(
                patient_id=entry.patient_id,
                practitioner_id=start.practitioner,
                visit_type=entry.visit_type.code,
                starts_at=start.at,
                until=until,
                by=SYSTEM,
                state=entry.patient_state,
            )
    except (Conflict, Invalid):
        return None
    made = WaitlistOffer.objects.create(
        entry=entry, appointment=held, practitioner_id=start.practitioner, starts_at=start.at, expires_at=until
    )
    stand(entry, WaitlistStatus.OFFERED)
    record(by, Act.WAITLIST_OFFERED, entry, detail={"offer": str(made.pk), "appointment": str(held.pk)})
    if account := held.patient.account_id:
        notify(person_id=account, kind="waitlist_offer", about_id=made.pk, key=f"waitlist_offer:{made.pk}")
    return made


def expiry(starts_at: datetime) -> datetime:
    """How long they have: the clinic's time limit, or half of what is left until a start that is near."""
    current = now()
    return current + min(timedelta(minutes=settings.WAITLIST_OFFER_MINUTES), (starts_at - current) / 2)


@transaction.atomic
def accept_offer(*, offer_id: UUID, by: Actor) -> WaitlistOffer:
    """The held time is booked, and the wait is over. A repeat changes nothing; OfferOver, or HoldExpired when it has just run out."""
    offer, done = _answered(offer_id, OfferState.ACCEPTED, by)
    if not done:
        confirm(appointment_id=offer.appointment_id, by=by)
        _settle(offer, OfferState.ACCEPTED, by)
    return offer


@transaction.atomic
def decline_offer(*, offer_id: UUID, by: Actor) -> WaitlistOffer:
    """The time goes to the next at once; they wait on, for another. A repeat changes nothing; OfferOver once accepted or run out."""
    offer, done = _answered(offer_id, OfferState.DECLINED, by)
    if not done:
        release_hold(appointment_id=offer.appointment_id, by=by)
        _settle(offer, OfferState.DECLINED, by)
    return offer


def _answered(offer_id: UUID, answer: OfferState, by: Actor) -> tuple[WaitlistOffer, bool]:
    """The offer under its entry's lock, and whether this was its answer already."""
    lock(waitlist.offer_of(by, offer_id).entry_id)
    offer = waitlist.offer_of(by, offer_id)
    if offer.state not in (OfferState.OPEN, answer):
        raise OfferOver()
    return offer, offer.state == answer


@transaction.atomic
def settle_offer(*, offer_id: UUID, by: Actor = SYSTEM) -> bool:
    """For the clock: what became of the held time without an answer here. It ran out, was let go, or was confirmed as any held time is."""
    offer = WaitlistOffer.objects.filter(pk=offer_id).first()
    if offer is None:
        return False
    lock(offer.entry_id)
    if offer_id not in waitlist.offers_to_settle(by):
        return False
    held = WaitlistOffer.objects.select_related("appointment").get(pk=offer_id).appointment
    if held.status != Status.CANCELLED:
        state = OfferState.ACCEPTED
    else:
        state = OfferState.EXPIRED if held.cancelled_reason == CancelReason.HOLD_EXPIRED else OfferState.DECLINED
    _settle(offer, state, by)
    return True


def _settle(offer: WaitlistOffer, state: OfferState, by: Actor) -> None:
    close(offer, state)
    stand(offer.entry, WaitlistStatus.BOOKED if state == OfferState.ACCEPTED else WaitlistStatus.WAITING)
    record(by, Act.WAITLIST_ANSWERED, offer.entry, reason=state, detail={"offer": str(offer.pk), "appointment": str(offer.appointment_id)})
