"""What a privacy officer asks the log: ids, codes and times, nothing else, since it stands in the address."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.ledger import Act
from audit.review.selectors import Wanted
from telehealth.accounts.access import Role

PURPOSES = ("TREAT", "HPAYMT", "HOPERAT", "PATRQT", "ETREAT", "BTG", "PUBHLTH", "HRESCH")
OUTCOMES = ("ok", "refused", "failed")
ROLES = (*Role, "anonymous", "system")
CHANNELS = ("REST", "portal", "admin", "WS", "task", "command", "shell", "inbound", "OAuth", "dev")
PLACES = ("before", "after")


def _one_of(label: Any, values: Iterable[str]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", "—"), *((str(value), str(value)) for value in values)])


FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget, input_formats=FORMATS)


class LookForm(forms.Form):
    """The filters of the list and of a timeline, whose own subject is left out, and where on it the page begins."""

    patient = forms.UUIDField(label=_("Patient"), required=False)
    actor = forms.UUIDField(label=_("Account"), required=False)
    act = _one_of(_("Act"), Act)
    purpose = _one_of(_("Purpose"), PURPOSES)
    outcome = _one_of(_("Outcome"), OUTCOMES)
    role = _one_of(_("Role"), ROLES)
    channel = _one_of(_("Channel"), CHANNELS)
    request = forms.RegexField(r"\A[0-9a-f]{32}\Z", label=_("Request"), required=False)
    since = _moment(_("From"))
    until = _moment(_("Before"))
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, without: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop(without, None)

    def wanted(self, **fixed: Any) -> Wanted:
        """What is asked for, of a valid form."""
        given = {name: value for name, value in self.cleaned_data.items() if name not in PLACES}
        return Wanted(**given, **fixed)

    def place(self) -> dict[str, Any]:
        """Where the page begins: right before one id, or right after one."""
        return {name: self.cleaned_data[name] for name in PLACES}
