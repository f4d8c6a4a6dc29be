"""What somebody means who texts back, and what is answered. Pure values; a doubt ends the texts."""

import re
import unicodedata
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext_lazy as _


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


ENGLISH, SPANISH = "en", "es"
WHOLE: dict[Meaning, dict[str, str]] = {  # the whole message, letters alone
    Meaning.STOP: {
        ENGLISH: "stop stopall unsubscribe cancel end quit revoke optout",
        SPANISH: "alto parar pare para basta cancelar terminar fin baja salir nomas detener",
    },
    Meaning.START: {ENGLISH: "start unstop", SPANISH: "iniciar empezar comenzar"},
    Meaning.HELP: {ENGLISH: "help info", SPANISH: "ayuda"},
}
ANYWHERE = {ENGLISH: {"stop", "unsubscribe", "revoke"}, SPANISH: {"alto", "parar", "detener"}}
"""Words that end the texts wherever they stand: any reasonable way to say so counts (47 CFR 64.1200(a)(10))."""

TEXTS = {
    Meaning.STOP: _("%(clinic)s: you get no more texts from this number. Appointments stay as they are. Reply START to get texts again."),
    Meaning.START: _("%(clinic)s: you get texts about your appointments again. Reply HELP for help, STOP to end texts."),
    Meaning.HELP: _("%(clinic)s: texts about your appointments. For anything else call the clinic %(phone)s. Reply STOP to end texts."),
    Meaning.OTHER: _("%(clinic)s: nobody reads this number. Call the clinic %(phone)s. Reply HELP for help, STOP to end texts."),
}


def meaning_of(words: str) -> tuple[Meaning, str]:
    """What it means, and the language it is in; "" where that does not show."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().casefold()
    parts = re.findall(r"[a-z]+", plain)
    for meaning, by_language in WHOLE.items():
        for language, listed in by_language.items():
            if "".join(parts) in listed.split():
                return meaning, "" if language == ENGLISH else language
    for language, listed_words in ANYWHERE.items():
        if listed_words & set(parts):
            return Meaning.STOP, "" if language == ENGLISH else language
    return Meaning.OTHER, ""


def words_of(meaning: Meaning) -> str:
    """The reply, in the language that is active."""
    said = str(TEXTS[meaning]) % {"clinic": settings.CLINIC_NAME, "phone": settings.CLINIC_PHONE}
    return said.replace(" .", ".")
