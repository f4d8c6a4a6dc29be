"""My factors: the pages on which people see and change how they sign in; and where browsers ask for a passkey's options."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import View

from audit.ledger import ANONYMOUS, Actor
from telehealth.accounts import ceremonies, passkeys, selectors, services, sessions
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.errors import EmailChangeUnusable, SecondFactorRequired
from telehealth.accounts.forms import AddressForm, ConfirmForm, FactorNameForm, PasskeyForm, PasswordForm
from telehealth.accounts.models import Passkey
from telehealth.accounts.portal import WORDS, Door, EnrolDoor
from telehealth.core.errors import DomainError, Missing
from telehealth.portal.errors import answer as answer_page
from telehealth.portal.errors import status_of
from telehealth.portal.pages import Page


class Options(View):
    """POST purpose (and what it is about): the options for the browser's WebAuthn call. Each purpose asks for what it needs:
    nothing to sign in, a password for the second factor, both for the rest."""

    http_method_names = ["post"]
    while_locked = frozenset({"post"})

    def post(self, request: HttpRequest) -> HttpResponse:
        by: Actor = getattr(request, "by", ANONYMOUS)
        purpose, about = request.POST.get("purpose", ""), request.POST.get("about", "")[:64]
        try:
            options, state = self._asked(by, purpose)
        except DomainError as error:
            return JsonResponse({"code": error.code}, status=status_of(error))
        ceremonies.begin(request, state, purpose, about)
        reply = JsonResponse(options)
        reply["Cache-Control"] = "no-store"
        return reply

    def _asked(self, by: Actor, purpose: str) -> tuple[passkeys.Options, passkeys.State]:
        if purpose == ceremonies.SIGN_IN:
            return passkeys.options_to_show(None)
        if by.id is None:
            raise SecondFactorRequired
        if purpose == ceremonies.REGISTER:
            return services.start_passkey(by=by)
        needs_both = purpose in (ceremonies.STEP_UP, ceremonies.SIGN)
        if (purpose != ceremonies.FACTOR and not needs_both) or (needs_both and by.second_factor_at is None):
            raise SecondFactorRequired
        return passkeys.options_to_show(selectors.account_for(by))


class AddPasskey(EnrolDoor):
    """A passkey: as the first second factor, or as one more."""

    form = PasskeyForm
    template = "accounts/add_passkey.html"

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        told = ceremonies.take(self.request, ceremonies.REGISTER)
        return self.through(services.add_passkey(**told, name=given["name"], by=self.by))


class Factors(Page):
    """One's factors by name, with when they were made and last used; to rename, remove, and make recovery codes."""

    access = {"get": (Action.READ, Resource.ACCOUNT), "post": (Action.UPDATE, Resource.ACCOUNT)}
    template = "accounts/factors.html"
    words = WORDS

    def get(self, request: HttpRequest, **context: Any) -> HttpResponse:
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        if away := sessions.step_up(request, self.by):
            return away
        acts = {"rename": self._rename, "remove": self._remove, "codes": self._codes}
        act = acts.get(request.POST.get("act", ""))
        try:
            return act(request) if act else self.page(HTTPStatus.BAD_REQUEST)
        except DomainError as error:
            return self.page(status_of(error), fault=WORDS.get(error.code, _("That did not work.")))

    def page(self, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        mine = [
            {"id": each.pk, "name": each.name, "passkey": isinstance(each, Passkey), "made": each.created_at, "used": each.last_used_at}
            for each in selectors.factors_of(self.by)
        ]
        left = selectors.recovery_codes_left(self.by)
        return self.show(status=status, factors=mine, left=left, **context)

    def _rename(self, request: HttpRequest) -> HttpResponseBase:
        form = FactorNameForm(request.POST)
        if not form.is_valid():
            return self.page(HTTPStatus.BAD_REQUEST)
        services.rename_factor(factor_id=_factor_id(request), name=form.cleaned_data["name"], by=self.by)
        return self.go("factors")

    def _remove(self, request: HttpRequest) -> HttpResponseBase:
        services.remove_factor(factor_id=_factor_id(request), by=self.by)
        messages.success(request, _("Removed. A notice is on its way to your address."))
        return self.go("factors")

    def _codes(self, request: HttpRequest) -> HttpResponseBase:
        return self.show("accounts/recovery_codes.html", codes=services.make_recovery_codes(by=self.by))


class OwnDoor(Door):
    """A page for a change of one's own account: both factors, and a fresh one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        who = sessions.guard(request)
        if not isinstance(who, Actor):
            return who
        response = sessions.step_up(request, who) or super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def done(self, said: Any) -> HttpResponseBase:
        messages.success(self.request, said)
        return HttpResponseRedirect(reverse("factors"))


class ChangePassword(OwnDoor):
    """A new password; this browser stays signed in, everything else is signed out."""

    form = PasswordForm
    template = "accounts/change_password.html"

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        shown = self.by.second_factor_at
        user = services.change_password(current=given["current"], password=given["password"], by=self.by)
        sessions.begin(self.request, user)
        if shown is not None:
            sessions.stamp_factor(self.request, shown)
        return self.done(_("Your password is changed, and everything else that was signed in is signed out."))


class ChangeAddress(OwnDoor):
    """Another e-mail address, once whoever reads it confirms."""

    form = AddressForm
    template = "accounts/change_address.html"

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        services.ask_email_change(email=given["email"], by=self.by)
        return self.done(_("A link is on its way to the new address. Until it is opened nothing changes."))


class ConfirmAddress(Door):
    """Where that link leads. A button, since mail scanners open links too."""

    form = ConfirmForm
    template = "accounts/confirm_address.html"

    def get(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        try:
            selectors.open_email_change(kwargs["token"])
        except EmailChangeUnusable as error:
            return answer_page(request, error, WORDS)
        return super().get(request, **kwargs)

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        services.confirm_email_change(token=kwargs["token"], by=self.by)
        return render(self.request, "accounts/address_confirmed.html")

    def refused(self, form: Any, error: DomainError, **kwargs: str) -> HttpResponse:
        return answer_page(self.request, error, WORDS)


def _factor_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError:
        raise Missing from None
