"""What the scopes of apps are called: on the consent page in plain words, and for django-oauth-toolkit as its backend."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from oauth2_provider.scopes import BaseScopes

from telehealth.accounts.access import APP_SCOPES
from telehealth.portal.errors import Text

WORDS: Mapping[str, Text] = {
    "patient": _("See and manage your appointments, visits and records, and those of people you act for"),
    "patient.read": _("See your appointments, visits and records, and those of people you act for, and change nothing"),
    "schedule": _("See, book, move and cancel your appointments, and those of people you act for"),
    "visits": _("Check in for video visits and join them, and show what you take home from them"),
    "record": _("Show the record: conditions, medicines, results, prescriptions, and who has opened it"),
    "sharing": _("Decide who else may see the record or act for you"),
    "openid": _("Know that it is you who signed in, by a number that says nothing else about you"),
    "offline_access": _("Stay connected while you are away, until it was not used for 14 days or you disconnect it"),
}
PARTS = ("schedule", "visits", "record", "sharing")  # what a person tells apart
CHANGES: Text = _("Book, cancel, share or change anything")
NEVER: tuple[Text, ...] = (
    _("See your password, or the codes of your authenticator"),
    _("See or do more than you can yourself"),
)
BEYOND_A_SESSION: Text = _("Stay connected when you close it: it has to ask you again after ten minutes")


class Scopes(BaseScopes):  # type: ignore[misc]  # the toolkit is untyped
    """`SCOPES_BACKEND_CLASS`: those of the access table; none unless asked for by name."""

    def get_all_scopes(self) -> dict[str, str]:
        return {name: str(words) for name, words in WORDS.items()}

    def get_available_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return available()

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        return []


def available() -> list[str]:
    """What an app may ask for: `openid` only where there is a key to sign identity tokens with."""
    return sorted(name for name in APP_SCOPES if name != "openid" or settings.OIDC_SIGNING_KEY)


def will(names: Iterable[str]) -> list[Text]:
    """What the app can do with these scopes, in the order of the page."""
    asked = set(names)
    return [words for name, words in WORDS.items() if name in asked]


def will_not(names: Iterable[str]) -> list[Text]:
    """What it cannot: what was not asked for, and what no app ever can."""
    asked = set(names)
    missing: list[Text] = []
    if "patient" not in asked:
        parts = [WORDS[name] for name in PARTS if name not in asked]
        missing = [CHANGES] if asked >= {"patient.read"} and not asked & set(PARTS) else parts
    if "offline_access" not in asked:
        missing.append(BEYOND_A_SESSION)
    return [*missing, *NEVER]
