"""The page *Calendars*: a provider's feed for a calendar program, and the calendars whose busy times are read."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from scheduling import selectors, services
from telehealth.accounts.access import Action, Resource
from telehealth.core.errors import DomainError, Invalid
from telehealth.core.outbound import LONGEST_URL
from telehealth.portal.errors import Words, sentence_of, status_of
from telehealth.portal.pages import Page

WORDS: Words = {
    "address_refused": _("This address cannot be read. It must begin with https:// or webcal:// and lead to a public server."),
    "too_many_calendars": _("Five calendars are read for one provider, and no more. Remove one first."),
}
MARKS = {"read": "good", "new": "info"}


class AddressForm(forms.Form):
    """Where the other calendar is."""

    url = forms.CharField(
        label=_("Secret address of the calendar (ICS)"),
        max_length=LONGEST_URL,
        help_text=_("Your calendar program shows it. We keep it sealed, and of what is there the times alone."),
        widget=forms.TextInput(attrs={"type": "url", "autocomplete": "off", "spellcheck": "false"}),
    )


class ConnectionsPage(Page, abstract=True):
    """Drawn anew after each act: an address that was made is shown this once."""

    template = "scheduling/connections.html"
    words = WORDS

    def page(self, form: AddressForm, **context: Any) -> HttpResponse:
        calendars = [
            {"calendar": each, "host": urlsplit(each.url).hostname, "mark": MARKS.get(each.state, "bad")}
            for each in selectors.busy_calendars_for(self.by).order_by("pk")
        ]
        return self.show(form=form, feed=selectors.feeds_for(self.by).first(), calendars=calendars, **context)


class Connections(ConnectionsPage):
    """What is there."""

    access = (Action.ACT, Resource.CALENDAR)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(AddressForm())


class MakeFeed(ConnectionsPage):
    """A new address, in place of the old one."""

    access = {"post": (Action.ACT, Resource.CALENDAR)}

    def post(self, request: HttpRequest) -> HttpResponse:
        _feed, url = services.make_feed(by=self.by)
        return self.page(AddressForm(), made=url)


class RevokeFeed(ConnectionsPage):
    """No address any more."""

    access = {"post": (Action.DELETE, Resource.CALENDAR)}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        feed = selectors.feeds_for(self.by).first()
        if feed is None:
            raise Invalid
        services.revoke_feed(feed_id=feed.pk, by=self.by)
        return self.go("calendars")


class AddBusy(ConnectionsPage):
    """One more calendar whose busy times close hours."""

    access = {"post": (Action.CREATE, Resource.CALENDAR)}

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.page(form)
        try:
            services.add_busy_calendar(url=form.cleaned_data["url"], by=self.by)
        except DomainError as error:
            form.add_error("url", str(sentence_of(error, self.words)))
            return self.page(form, status=status_of(error))
        return self.go("calendars")


class RemoveBusy(ConnectionsPage):
    """It is not looked at any more."""

    access = {"post": (Action.DELETE, Resource.CALENDAR)}

    def post(self, request: HttpRequest, calendar_id: UUID) -> HttpResponseBase:
        services.remove_busy_calendar(calendar_id=calendar_id, by=self.by)
        return self.go("calendars")
