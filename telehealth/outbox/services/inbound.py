"""Texts that people send back. Neither the number nor the words are kept or put on record: only what they agreed to."""

import hashlib

from django.db import transaction
from django.utils import translation

from audit.ledger import Actor
from telehealth.core import permit
from telehealth.outbox import rules
from telehealth.outbox.models import InboundText, Purpose, SentText, Source, Verdict
from telehealth.outbox.numbers import indexes_of
from telehealth.outbox.replies import Meaning, meaning_of, words_of
from telehealth.outbox.rules import Told
from telehealth.outbox.selectors import consents
from telehealth.outbox.services.contact import say_consent
from telehealth.outbox.texts import known_language

VERDICTS = {Meaning.STOP: Verdict.REVOKED, Meaning.START: Verdict.GIVEN}


@transaction.atomic
def take_text(*, number: str, words: str, gateway_id: str, by: Actor) -> str:
    """Do what a text says, at once, and what to answer: nothing to a repeat, and nothing to who has said STOP before."""
    permit(by, rules.may_speak_for, Told(None, by_text=True))
    _, is_new = InboundText.objects.get_or_create(digest=hashlib.sha256(gateway_id.encode()).digest())
    if not is_new:
        return ""
    meaning, language = meaning_of(words)
    if not _agreed(number, meaning, by):
        return ""
    with translation.override(known_language(language or _language_of(number))):
        return words_of(meaning)


def _agreed(number: str, meaning: Meaning, by: Actor) -> bool:
    """Write down what changes by it; False when a STOP changes nothing, for it has been confirmed."""
    if (verdict := VERDICTS.get(meaning)) is None:
        return True
    wanted = verdict == Verdict.GIVEN
    changed: list[Purpose] = [purpose for purpose, given in consents(number).items() if given is not wanted]
    say_consent(number=number, purposes=changed, verdict=verdict, source=Source.SMS, by=by)
    return bool(changed) or wanted


def _language_of(number: str) -> str:
    """The language of the last text that went there."""
    last = SentText.objects.filter(number__in=indexes_of(number)).order_by("-at").first()
    return last.language if last else ""
