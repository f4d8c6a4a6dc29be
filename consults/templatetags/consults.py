"""How the waiting room's states read on a page."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

WAITING: dict[str, tuple[str | Promise, str]] = {
    "expected": (_("expected"), ""),
    "checking-in": (_("checking in"), "info"),
    "ready": (_("ready, waiting"), "warn"),
    "held": (_("on hold"), "warn"),
    "redirected": (_("redirected"), "info"),
    "admitted": (_("admitted"), "good"),
    "in-call": (_("in the call"), "good"),
    "left": (_("left the call"), ""),
    "removed": (_("removed"), "bad"),
    "abandoned": (_("gone"), "bad"),
}
ENDED: dict[str, tuple[str | Promise, str]] = {"finished": (_("completed"), "good"), "cancelled": (_("cancelled"), "bad")}


@register.inclusion_tag("consults/state.html")
def waiting_state(visit: object) -> dict[str, object]:
    """The state of a visit as a word with a mark; an ended visit shows how it ended."""
    status, waiting = getattr(visit, "status", ""), getattr(visit, "waiting", "")
    word, tone = ENDED.get(status) or WAITING.get(waiting) or (waiting, "")
    return {"word": word, "tone": tone}
