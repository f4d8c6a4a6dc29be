"""How the states of a prescription read on a page."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

STATES: dict[str, tuple[str | Promise, str]] = {
    "draft": (_("to be signed"), "warn"),
    "queued": (_("on its way"), "info"),
    "sent": (_("at the pharmacy's network"), "info"),
    "delivered": (_("received by the pharmacy"), "good"),
    "error": (_("not delivered"), "bad"),
    "cancelled": (_("cancelled"), ""),
}


@register.filter
def word(status: str) -> str | Promise:
    return STATES.get(status, (status, ""))[0]


@register.filter
def tone(status: str) -> str:
    return STATES.get(status, (status, ""))[1]
