"""The prescriptions of a visit on the provider's page: write, sign with a fresh code, watch it arrive."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from prescribing import selectors, services
from prescribing.errors import OrderUnfit
from telehealth.accounts import ceremonies
from telehealth.accounts.access import Action, Resource
from telehealth.core.errors import DomainError
from telehealth.portal.errors import Words, sentence_of
from telehealth.portal.pages import Page

WORDS: Words = {
    "order_unfit": _("This order cannot be sent as it is. Check the marked fields."),
    "unknown_medication": _("This medication is not in the formulary."),
    "unknown_pharmacy": _("This pharmacy takes no prescriptions from here."),
    "epcs_disabled": _("Controlled substances cannot be prescribed with this system."),
    "visit_not_under_way": _("Prescriptions are written while the visit is under way."),
    "already_signed": _("This prescription is signed already."),
    "not_a_draft": _("This prescription was discarded."),
    "cannot_be_sent": _("Something that every prescription must carry is missing: it cannot be sent."),
    "passkey_wrong": _("That passkey does not sign this."),
    "code_wrong": _("That code is not right."),
    "code_replayed": _("That code was used already. Wait for the next one."),
    "too_many_attempts": _("Too many attempts. Please wait a little and try again."),
}
MOST_ASKED = 90  # every two seconds: three minutes
FAULT = _("This does not fit the order.")


class OrderForm(forms.Form):
    """One order; what is wrong with it, the service says."""

    medication = forms.ChoiceField(label=_("Medication"))
    sig = forms.CharField(label=_("Directions"), max_length=1000, help_text=_("As they stand on the label."))
    quantity = forms.DecimalField(label=_("Quantity"), max_digits=11, decimal_places=3, min_value=0, localize=False)
    days_supply = forms.IntegerField(label=_("Days"), min_value=1, max_value=9999)
    refills = forms.IntegerField(label=_("Refills"), min_value=0, max_value=99, initial=0)
    substitution = forms.BooleanField(label=_("A generic may be given instead"), required=False, initial=True)
    pharmacy = forms.ChoiceField(label=_("Pharmacy"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drugs = [(each.rxcui, each.description) for each in selectors.medications().order_by("name")]
        places = [(each.ncpdp_id, f"{each.name}, {each.city}") for each in selectors.pharmacies().order_by("name")]
        # Nothing is chosen beforehand: a drug that nobody chose is not to be signed by haste.
        self.fields["medication"] = forms.ChoiceField(label=_("Medication"), choices=[("", _("Choose…")), *drugs])
        self.fields["pharmacy"] = forms.ChoiceField(label=_("Pharmacy"), choices=[("", _("Choose…")), *places])

    def tell(self, error: OrderUnfit) -> None:
        """Mark the fields that the service found wrong."""
        for fault in error.reply.get("errors", []):
            field = fault["field"] if fault["field"] in self.fields else None
            self.add_error(field, forms.ValidationError(FAULT, code=fault["code"]))


class Slot(Page, abstract=True):
    """All prescriptions of one visit, and the form for another."""

    template = "prescribing/slot.html"
    words = WORDS

    def whole(self, visit_id: UUID, form: OrderForm | None = None, **context: Any) -> HttpResponse:
        found = list(selectors.prescriptions_of(self.by, visit_id))
        if form is None and not selectors.is_over(self.by, visit_id):
            form = OrderForm()
        return self.show(visit_id=visit_id, prescriptions=found, form=form, **context)


class VisitPrescriptions(Slot):
    """GET: the slot. POST: prepare a draft."""

    access = {"get": (Action.READ, Resource.PRESCRIPTION), "post": (Action.CREATE, Resource.PRESCRIPTION)}

    def get(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.whole(visit_id)

    def post(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        form = OrderForm(request.POST)
        if not form.is_valid():
            return self.whole(visit_id, form)
        try:
            services.prescribe(visit_id=visit_id, by=self.by, **form.cleaned_data)
        except OrderUnfit as error:
            form.tell(error)
            return self.whole(visit_id, form)
        return self.whole(visit_id)


class SignPrescription(Slot):
    """A code of one's authenticator, or a passkey shown for this prescription alone."""

    access = (Action.SIGN, Resource.PRESCRIPTION)

    def post(self, request: HttpRequest, prescription_id: UUID) -> HttpResponse:
        prescription = selectors.prescription_for(self.by, prescription_id)
        try:
            services.sign(prescription_id=prescription_id, by=self.by, **self._proof(prescription_id))
        except DomainError as error:
            fault: dict[str, Any] = {"unsigned": prescription_id, "fault": sentence_of(error, self.words), "good_from": _next(error.reply)}
            return self.whole(prescription.visit_id, **fault)
        return self.whole(prescription.visit_id)

    def _proof(self, prescription_id: UUID) -> dict[str, Any]:
        if ceremonies.answered(self.request):
            return {"passkey": ceremonies.take(self.request, ceremonies.SIGN, str(prescription_id))}
        return {"code": self.request.POST.get("code", "")[:16]}


class PrescriptionStatus(Page):
    """How far it got. The page asks again until it arrived, but not for ever: that would keep a session alive."""

    access = (Action.READ, Resource.PRESCRIPTION)
    template = "prescribing/status.html"
    words = WORDS

    def get(self, request: HttpRequest, prescription_id: UUID) -> HttpResponse:
        asked = request.GET.get("asked", "0")
        times = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else MOST_ASKED
        given_up = times >= MOST_ASKED
        return self.show(prescription=selectors.prescription_for(self.by, prescription_id), asked=times + 1, given_up=given_up)


def _next(reply: Mapping[str, Any]) -> datetime | None:
    """When the authenticator shows the next code."""
    at = reply.get("next_code_at")
    return datetime.fromisoformat(at) if at else None
