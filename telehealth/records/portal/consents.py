"""Who may see the sensitive parts of a record: patients and who acts for them give and withdraw, the desk records what was signed."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.portal.pages import Page, ShellPage
from telehealth.records import selectors, services
from telehealth.records.labels import HIDDEN_FROM_PROXIES, Category
from telehealth.records.models import Consent, Recipient
from telehealth.records.portal.words import CATEGORIES, WORDS

ROLES = {"provider": _("Physicians and other practitioners of the clinic"), "nurse": _("Nurses of the clinic"), "biller": _("Billing")}
TEAM = _("Everybody of the clinic who cares for me")


def _recipients() -> list[tuple[str, Any]]:
    people = [(f"practitioner {each.pk}", each.name) for each in selectors.practitioners()]
    return [("care_team", TEAM), *((f"role {role}", word) for role, word in ROLES.items()), *people]


class ConsentForm(forms.Form):
    """What, for whom, until when, and that it is meant."""

    category = forms.ChoiceField(label=_("What may be seen"))
    recipient = forms.ChoiceField(label=_("By whom"), choices=_recipients)
    ends_on = forms.DateField(
        label=_("Until the end of"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: until it is withdrawn."),
    )
    agreed = forms.BooleanField(label=_("I agree. I can withdraw this at any time; what was seen before cannot be taken back."))

    def __init__(self, *args: Any, alone: bool, on_paper: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(each.value, word) for each, word in CATEGORIES.items() if alone or each not in HIDDEN_FROM_PROXIES]
        self.fields["category"] = forms.ChoiceField(label=self.fields["category"].label, choices=offered)
        if on_paper:
            self.fields["agreed"].label = _("The patient's own signature under this text is before me.")

    def given(self) -> dict[str, Any]:
        """For `give_consent`."""
        told = self.cleaned_data
        kind, _, which = told["recipient"].partition(" ")
        recipient = {"kind": kind, **({kind: UUID(which) if kind == Recipient.PRACTITIONER else which} if which else {})}
        version = settings.SHARING_CONSENTS[told["category"]]
        return {"category": told["category"], "recipient": recipient, "text_version": version, "ends_at": _end_of(told["ends_on"])}


class Consents(Page):
    """One patient's: those that stand with a button to withdraw, and another. The desk is shown none, and adds what was signed."""

    access = {"get": (Action.CREATE, Resource.CONSENT), "post": (Action.CREATE, Resource.CONSENT)}
    template = "records/consents.html"
    words = WORDS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        return self.page(patient_id)

    def post(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        form = self.form(patient_id, request.POST)
        if not form.is_valid():
            return self.page(patient_id, form)
        services.give_consent(patient_id=patient_id, **form.given(), by=self.by)
        return self.page(patient_id, told=True)

    def form(self, patient_id: UUID, given: Any = None) -> ConsentForm:
        """Without what only the patient decides, for who is not the patient; Missing for who may not consent at all."""
        alone = selectors.decides_alone(self.by, patient_id)
        return ConsentForm(given, alone=alone or self.on_paper, on_paper=self.on_paper)

    @property
    def on_paper(self) -> bool:
        return Scope.DESK in granted(self.by, Action.CREATE, Resource.CONSENT)

    def page(self, patient_id: UUID, form: ConsentForm | None = None, *, told: bool = False) -> HttpResponse:
        form = form or self.form(patient_id)
        given = [] if self.on_paper else [_shown(each) for each in selectors.consents_for(self.by, patient_id).order_by("-id")]
        return self.show(form=form, patient_id=patient_id, given=given, on_paper=self.on_paper, told=told)


class Withdraw(Page):
    """From now on no longer."""

    access = (Action.ACT, Resource.CONSENT)
    template = "records/consents.html"
    words = WORDS

    def post(self, request: HttpRequest, patient_id: UUID, consent_id: UUID) -> HttpResponse:
        services.withdraw_consent(consent_id=selectors.consent_of(self.by, patient_id, consent_id).pk, by=self.by)
        return Consents(request=request, by=self.by).page(patient_id)


class Sharing(ShellPage):
    """The patient's own page: whose records they decide about, each with its consents."""

    access = (Action.SEARCH, Resource.CONSENT)
    shell = "sharing"
    template = "records/sharing.html"
    words = WORDS

    def get(self, request: HttpRequest) -> HttpResponse:
        records = [{"patient": each, "slots": self.slots(patient_id=each.pk)} for each in selectors.sharing_for(self.by)]
        return self.show(records=records)


def _shown(consent: Consent) -> dict[str, Any]:
    to = consent.practitioner.name if consent.practitioner else ROLES.get(consent.role, TEAM)
    over = consent.withdrawn_at or (consent.ends_at if consent.ends_at and consent.ends_at <= timezone.now() else None)
    return {"consent": consent, "category": CATEGORIES[Category(consent.category)], "to": to, "over": over}


def _end_of(day: date | None) -> datetime | None:
    """The midnight after that day, by the reader's clock."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
