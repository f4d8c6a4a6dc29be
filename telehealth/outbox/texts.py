"""What messages to people say. None of it is health data: no name, no reason; only that there is something to see, and of
an appointment when it is. A text message is of one piece: the clinic's name, a sentence, a link, and how to end it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from telehealth.outbox.models import Purpose

OPT_OUT = _("Reply STOP to end.")
TEXT_LENGTH = 160
EVERYWHERE = ("email", "sms")
MAIL_ONLY = ("email",)


@dataclass(frozen=True)
class Text:
    """One kind of message: where it goes out, its subject, its one sentence, and the page that it leads to."""

    subject: str | Promise
    sentence: str | Promise
    page: str = "/"
    channels: tuple[str, ...] = EVERYWHERE
    link: str = ""
    """Name in `settings.OUTBOX_LINKS` of what makes the path out of the object's id, instead of `page`."""
    purpose: str = ""
    """What a person may choose the way for, or decline; "" is told in any case, by mail."""
    brief: str | Promise = ""
    """For a text message, where the sentence is too long."""


TEXTS: dict[str, Text] = {
    "account_locked": Text(
        _("Your account"),
        _("Somebody tried to sign in to your account too often, so it is locked for a while. If this was not you, call the clinic."),
        channels=MAIL_ONLY,
    ),
    "appointment_booked": Text(_("Your appointment"), _("An appointment has been booked. Sign in to see it."), purpose=Purpose.CARE),
    "appointment_cancelled": Text(_("Your appointment"), _("An appointment has been cancelled. Sign in to see it."), purpose=Purpose.CARE),
    "appointment_changed": Text(_("Your appointment"), _("An appointment has changed. Sign in to see it."), purpose=Purpose.CARE),
    "appointment_missed": Text(
        _("Your appointment"), _("The time of an appointment has passed. Sign in to see it, or to choose another."), purpose=Purpose.CARE
    ),
    "appointment_reminder": Text(
        _("Your appointment"),
        _("You have an appointment on %(when)s. Open this link to say whether you will come."),
        link="appointment_answer",
        purpose=Purpose.REMINDER,
        brief=_("Your appointment: %(when_brief)s."),
    ),
    "appointment_unlicensed": Text(
        _("An appointment needs you"),
        _("The provider of an appointment may not practise where the patient will be then. Sign in and move it."),
        channels=MAIL_ONLY,
        link="appointment_unlicensed",
    ),
    "audit_alarm": Text(
        _("The audit log needs you"),
        _("Something about the audit log is not as it must be. Sign in and look at it."),
        page="/admin/audit/entry/",
        channels=MAIL_ONLY,
    ),
    "email_change": Text(
        _("Confirm your address"),
        _("Somebody asked that this address sign in to the clinic's portal. If it was you, open this link; it works once."),
        channels=MAIL_ONLY,
        link="email_change",
    ),
    "consent_recorded": Text(
        _("Your consent"), _("A consent that you signed has been recorded. Sign in to see it, or to withdraw it."), channels=MAIL_ONLY
    ),
    "emergency_access": Text(
        _("Emergency access"),
        _("Somebody declared an emergency to see a record. Sign in to review it."),
        page="/admin/",
        channels=MAIL_ONLY,
    ),
    "factors_changed": Text(
        _("Your account"), _("The way you sign in has been changed. If this was not you, call the clinic."), channels=MAIL_ONLY
    ),
    "incident_due": Text(
        _("An incident waits"), _("An incident is not settled, and its clock is running. Sign in to see it."), channels=MAIL_ONLY
    ),
    "invitation": Text(
        _("Your invitation"),
        _("The clinic invites you to its portal. Open this link to set a password; it works once."),
        channels=MAIL_ONLY,
        link="invitation",
    ),
    "prescription_failed": Text(
        _("A prescription needs you"), _("A prescription could not be delivered. Sign in to see it."), channels=MAIL_ONLY
    ),
    "review_overdue": Text(
        _("A review is overdue"),
        _("An emergency access has not been reviewed in time. Sign in to review it."),
        page="/admin/review/finding/?state__exact=open",
        channels=MAIL_ONLY,
    ),
    "roles_due": Text(
        _("Roles to confirm"),
        _("Roles of the staff wait to be confirmed. Sign in to confirm or end them."),
        page="/admin/accounts/rolegrant/?state=due",
        channels=MAIL_ONLY,
    ),
    "proxy_granted": Text(_("You may act for somebody"), _("Somebody lets you act for them. Sign in to see it."), channels=MAIL_ONLY),
    "summary_ready": Text(_("After your visit"), _("The summary of your visit is ready. Sign in to read it."), purpose=Purpose.CARE),
    "waitlist_offer": Text(
        _("Your appointment"), _("A time that you wait for is held for you, for a short while. Sign in to take it."), purpose=Purpose.CARE
    ),
    "visit_ready": Text(_("Your visit"), _("Somebody is waiting for you. Sign in to join."), purpose=Purpose.CARE),
}


@dataclass(frozen=True)
class Rendered:
    """Ready to leave."""

    subject: str
    text: str


def render(kind: str, about_id: UUID, language: str = "", zone: tzinfo = UTC) -> Rendered:
    """The mail in the person's language, else the clinic's, times by their clock. KeyError for a kind that nobody wrote."""
    text = TEXTS[kind]
    with translation.override(known_language(language)):
        facts = _facts(kind, about_id, zone)
        return Rendered(subject=str(text.subject), text=f"{_filled(text.sentence, facts)}\n\n{_address(text, about_id)}\n")


def brief(kind: str, about_id: UUID, language: str = "", zone: tzinfo = UTC) -> str:
    """The same as a text message of at most 160 characters; where the link does not fit, without it."""
    text = TEXTS[kind]
    with translation.override(known_language(language)):
        sentence = _filled(text.brief or text.sentence, _facts(kind, about_id, zone))
        parts = [f"{settings.CLINIC_NAME}: {sentence}", _address(text, about_id), str(OPT_OUT)]
        whole = " ".join(parts)
        return whole if len(whole) <= TEXT_LENGTH else f"{parts[0]} {parts[2]}"


def _facts(kind: str, about_id: UUID, zone: tzinfo) -> dict[str, str]:
    path = settings.OUTBOX_FACTS.get(kind)
    facts: dict[str, str] = import_string(path)(about_id, translation.get_language(), zone) if path else {}
    return facts


def _filled(sentence: str | Promise, facts: dict[str, str]) -> str:
    return str(sentence) % facts if facts else str(sentence)


def _address(text: Text, about_id: UUID) -> str:
    return str(settings.PUBLIC_URL).rstrip("/") + _path(text, about_id)


def _path(text: Text, about_id: UUID) -> str:
    if not text.link:
        return text.page
    make: Callable[[UUID], str] = import_string(settings.OUTBOX_LINKS[text.link])
    return make(about_id)


def known_language(language: str) -> str:
    """The language of ours that this one is, else the clinic's."""
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return str(settings.LANGUAGE_CODE)
