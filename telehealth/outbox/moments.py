"""A time as messages say it: by somebody's own clock, with the zone's abbreviation, in the language that is active."""

from datetime import datetime, tzinfo

from django.utils.dateformat import format as formatted
from django.utils.translation import pgettext


def facts_of(at: datetime, zone: tzinfo) -> dict[str, str]:
    """`when` and `when_brief`, for the sentences of `texts`."""
    local = at.astimezone(zone)
    # Translators: Django's date format, with the zone; "Tuesday, 24 November at 10:00 (EST)".
    full = pgettext("moment", r"l, j F \a\t H:i (T)")
    # Translators: the same, short; "Tue 24 Nov 10:00 (EST)".
    short = pgettext("moment", "D j M H:i (T)")
    return {"when": formatted(local, full), "when_brief": formatted(local, short)}
