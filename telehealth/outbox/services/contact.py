"""What people say about being told: their wishes, and their consent to texts."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.core import lock, permit
from telehealth.outbox import rules
from telehealth.outbox.errors import NoNumber
from telehealth.outbox.models import ContactConsent, ContactPreference, Purpose, Source, Verdict
from telehealth.outbox.numbers import index_of
from telehealth.outbox.rules import Told

ACTS = {Verdict.GIVEN: Act.CONTACT_CONSENT_GIVEN, Verdict.REVOKED: Act.CONTACT_CONSENT_REVOKED}


@transaction.atomic
def change_preference(*, person_id: UUID, by: Actor, **wishes: Any) -> ContactPreference:
    """Put these of the person's wishes in place of the former ones. Names of columns only are put on record."""
    permit(by, rules.may_change_contact, Told(person_id))
    lock(person_id)
    held = ContactPreference.objects.select_for_update().filter(person_id=person_id).first() or ContactPreference(person_id=person_id)
    for name, value in wishes.items():
        setattr(held, name, value)
    held.save()
    record(by, Act.CONTACT_PREFERENCE_CHANGED, held, detail={"person": str(person_id), "fields": sorted(wishes)})
    return held


@transaction.atomic
def say_consent(
    *, number: str, purposes: Iterable[str], verdict: str, source: str, by: Actor, person_id: UUID | None = None
) -> list[ContactConsent]:
    """Add the newest word about a number to the ledger: it counts from this commit on. NoNumber when there is none to speak of.

    Whoever comes through the SMS gateway speaks for the number they wrote from; a person for their own; the desk for a caller.
    """
    if not number:
        raise NoNumber()
    permit(by, rules.may_speak_for, Told(person_id, by_text=source == Source.SMS))
    index = index_of(number)
    lock(UUID(bytes=index[:16]))
    about = {"number": index, "verdict": Verdict(verdict), "source": Source(source), "person_id": person_id, "given_by": by.id}
    made = [ContactConsent.objects.create(purpose=Purpose(purpose), **about) for purpose in purposes]
    for consent in made:
        record(by, ACTS[Verdict(verdict)], consent, reason=str(consent.source), detail={"purpose": str(consent.purpose)})
    return made
