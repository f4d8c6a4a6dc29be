"""The portal's booking fragment: beside a patient at the front desk, and on the demonstration's phone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scheduling import selectors, services
from telehealth.accounts.access import Action, Resource
from telehealth.core.errors import Invalid
from telehealth.portal.errors import Words
from telehealth.portal.pages import Page
from telehealth.records.selectors import practitioners

MOST_OFFERED = 24
FARTHEST = timedelta(days=1000)
WORDS: Words = {
    "too_soon": _("This time is too near or past. Choose a later one."),
    "beyond_horizon": _("This is further ahead than can be booked."),
    "outside_hours": _("The provider is not there at that time."),
    "start_misaligned": _("This is not one of the times that are offered."),
    "slot_taken": _("Somebody was faster: this time is taken. Choose another."),
    "patient_busy": _("There is another appointment at that time."),
    "not_licensed": _("The provider may not see somebody who is in that state. Choose another provider."),
    "patient_state_unknown": _("The patient's address names no state. Add it first."),
    "patient_deceased": _("This patient is recorded as deceased. Nothing can be booked."),
}


class OfferForm(forms.Form):
    """What to look for."""

    visit_type = forms.ChoiceField(label=_("Kind of visit"))
    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(kind.code, kind.name) for kind in selectors.visit_types().order_by("minutes", "name")]
        self.fields["visit_type"] = forms.ChoiceField(label=_("Kind of visit"), choices=kinds)
        self.initial = {"visit_type": kinds[0][0] if kinds else "", "day": timezone.localdate(), **self.initial}

    def clean_day(self) -> date:
        """Near enough to be meant: the calendar's ends are no days to reckon with."""
        day: date = self.cleaned_data["day"]
        if abs(day - timezone.localdate()) > FARTHEST:
            raise forms.ValidationError("", code="invalid")
        return day


class BookForm(forms.Form):
    """One of the offers: whose it is and when it starts."""

    visit_type = forms.CharField(max_length=40)
    offer = forms.CharField(max_length=80)
    reason = forms.CharField(max_length=500, required=False)

    def clean_offer(self) -> tuple[UUID, datetime]:
        practitioner, __, start = self.cleaned_data["offer"].partition(" ")
        try:
            at = datetime.fromisoformat(start)
            if at.tzinfo is not None:
                return UUID(practitioner), at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise forms.ValidationError("", code="invalid")


class Booking(Page):
    """GET: offers of a day. POST: take one."""

    access = (Action.CREATE, Resource.APPOINTMENT)
    template = "scheduling/booking.html"
    words = WORDS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        return self.offers(patient_id, OfferForm(request.GET) if "day" in request.GET else OfferForm())

    def post(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        form = BookForm(request.POST)
        if not form.is_valid():
            raise Invalid
        given = form.cleaned_data
        practitioner, starts_at = given["offer"]
        booked = services.book(
            patient_id=patient_id,
            practitioner_id=practitioner,
            visit_type=given["visit_type"],
            starts_at=starts_at,
            reason=given["reason"],
            by=self.by,
        )
        response = self.offers(patient_id, OfferForm(), booked=booked)
        response["HX-Trigger"] = "booked"
        return response

    def offers(self, patient_id: UUID, form: OfferForm, **context: Any) -> HttpResponse:
        asked = form.cleaned_data if form.is_bound and form.is_valid() else form.initial
        zone = timezone.get_current_timezone()
        since = max(timezone.now(), datetime.combine(asked["day"], time.min, zone))
        until = datetime.combine(asked["day"] + timedelta(days=1), time.min, zone)
        found = self._found(patient_id, asked["visit_type"], since, until) if until > since else []
        return self.show(form=form, patient_id=patient_id, visit_type=asked["visit_type"], offers=found, **context)

    def _found(self, patient_id: UUID, visit_type: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        zone = ZoneInfo(timezone.get_current_timezone_name())
        page = selectors.slots(
            self.by, visit_type=visit_type, since=since, until=until, patient_id=patient_id, zone=zone, limit=MOST_OFFERED
        )
        names = {each.pk: each.name for each in practitioners()}
        return [
            {"starts_at": datetime.fromtimestamp(start, UTC), "practitioner": UUID(int=who), "name": names.get(UUID(int=who), "")}
            for start, who in page.offers
        ]
