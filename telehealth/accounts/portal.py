"""The pages on which people sign in, show and set up a second factor, and accept an invitation."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

import segno
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views import View

from audit.ledger import ANONYMOUS, Actor
from telehealth.accounts import ceremonies, selectors, services, sessions, totp
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.errors import FactorInUse, InvitationUnusable, PasswordTooWeak, TooManyAttempts
from telehealth.accounts.forms import CodeForm, ConfirmForm, EnrolForm, NewPasswordForm, RecoveryForm, SignInForm
from telehealth.accounts.models import TOTPDevice, User
from telehealth.core.errors import DomainError
from telehealth.portal.errors import Text, answer
from telehealth.portal.pages import Page

WORDS: dict[str, Text] = {
    "sign_in_failed": _("That e-mail address and password do not belong together."),
    "too_many_attempts": _("Too many attempts. Please wait a little and try again."),
    "code_wrong": _("That code is not right. Check that the clock of your phone is, too."),
    "passkey_wrong": _("That passkey does not open this. Try again, or another way."),
    "passkey_not_made": _("No passkey was made. Try again; the device has to ask for your finger, face or PIN."),
    "last_factor": _("This is your last factor. Set up another one first."),
    "email_change_unusable": _("This link has been used, has expired, or is not complete. Ask for a new one."),
    "export_waits": _("After an account was recovered nothing is exported for a day."),
    "code_replayed": _("That code has been used already. Wait for the next one."),
    "password_too_weak": _("That password is too easy to guess."),
    "invitation_unusable": _("This invitation has been used, has expired, or is not complete. Please call the clinic."),
    "account_taken": _("This invitation is for somebody else than the person who has this account. Please call the clinic."),
    "sign_in_first": _("This address signs in here already. Sign in, then open the link again."),
    "email_taken": _("Another account signs in with this e-mail address. Please call the clinic."),
}


class Door(View):
    """A page before the second factor: a form, a service, and on to the next page. It shows nothing of anybody."""

    form: ClassVar[type[forms.Form]]
    template: ClassVar[str]
    http_method_names = ["get", "head", "post"]

    @property
    def by(self) -> Actor:
        return getattr(self.request, "by", ANONYMOUS)

    def get(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        return self.page(self.form())

    def post(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.page(form, HTTPStatus.BAD_REQUEST)
        try:
            return self.enter(form.cleaned_data, **kwargs)
        except DomainError as error:
            if (locked := error.facts.get("locks")) is not None:
                services.lock_account(account_id=locked, by=self.by)
            return self.refused(form, error, **kwargs)

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        """What the form is for."""
        raise NotImplementedError

    def refused(self, form: forms.Form, error: DomainError, **kwargs: str) -> HttpResponse:
        """The same page with a sentence; for a used code, with the time of the next one."""
        form.add_error(None, forms.ValidationError(str(WORDS.get(error.code, _("That did not work."))), code=error.code))
        busy = isinstance(error, TooManyAttempts)
        status = HTTPStatus.TOO_MANY_REQUESTS if busy else HTTPStatus.BAD_REQUEST
        response = self.page(form, status, next_code_at=error.reply.get("next_code_at", ""))
        if isinstance(error, TooManyAttempts):
            response["Retry-After"] = str(error.retry_after)
        return response

    def page(self, form: forms.Form, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        onward = sessions.onward(self.request)
        context |= {"form": form, "next": "" if onward == "/" else onward}
        return render(self.request, self.template, context, status=status)


class PasskeyDoor(Door):
    """A page where a passkey does instead of what the form asks for."""

    def post(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not ceremonies.answered(request):
            return super().post(request, **kwargs)
        try:
            return self.shown()
        except DomainError as error:
            form = self.form(request.POST)
            form.errors.clear()
            return self.refused(form, error, **kwargs)

    def shown(self) -> HttpResponseBase:
        """What the passkey was asked for."""
        raise NotImplementedError


class SignIn(PasskeyDoor):
    """E-mail address and password: the first factor. Or a passkey, which is both."""

    form = SignInForm
    template = "accounts/sign_in.html"

    def shown(self) -> HttpResponseBase:
        told = ceremonies.take(self.request, ceremonies.SIGN_IN)
        user, at = services.sign_in_with_passkey(**told, address=sessions.address_of(self.request), by=self.by)
        start = start_page(self.request, user.actor)
        sessions.begin(self.request, user)
        sessions.stamp_factor(self.request, at)
        return HttpResponseRedirect(start)

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        user = services.sign_in(**given, address=sessions.address_of(self.request), by=self.by)
        onward = sessions.onward(self.request)
        sessions.begin(self.request, user)
        return sessions.towards(sessions.factor_page(self.by), "" if onward == "/" else onward)


class SecondDoor(Door, View):
    """A page for whoever has shown a password, and no second factor yet."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.by.id is None:
            return sessions.towards(reverse("sign-in"))
        if self.by.second_factor_at is not None:
            return HttpResponseRedirect(start_page(self.request, self.by))
        return super().dispatch(request, *args, **kwargs)

    def through(self, at: Any) -> HttpResponseBase:
        sessions.stamp_factor(self.request, at)
        return HttpResponseRedirect(start_page(self.request, self.by))


class Factor(PasskeyDoor, SecondDoor):
    """A code of an authenticator, or a passkey: the second factor."""

    form = CodeForm
    template = "accounts/factor.html"

    def get(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not selectors.has_factor_device(self.by):
            return sessions.towards(reverse("enrol-totp"))
        return super().get(request, **kwargs)

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        return self.through(services.prove(by=self.by, code=given["code"]))

    def shown(self) -> HttpResponseBase:
        return self.through(services.prove_passkey(**ceremonies.take(self.request, ceremonies.FACTOR), by=self.by))

    def page(self, form: forms.Form, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        return super().page(form, status, passkey=selectors.has_passkey(self.by), **context)


class Recovery(SecondDoor):
    """A code on paper, for whoever lost the rest."""

    form = RecoveryForm
    template = "accounts/recovery.html"

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        sessions.stamp_factor(self.request, services.use_recovery_code(by=self.by, code=given["code"]))
        messages.warning(self.request, _("A recovery code is used up. Set up a new factor while this sign-in is fresh."))
        return HttpResponseRedirect(reverse("factors"))


class StepUp(PasskeyDoor):
    """A fresh factor for what asks for one, a code or a passkey; then back to where it was asked."""

    form = CodeForm
    template = "accounts/step_up.html"
    while_locked = frozenset({"get", "head", "post"})

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        who = sessions.guard(request)
        return super().dispatch(request, *args, **kwargs) if isinstance(who, Actor) else who

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        return self._fresh(services.prove(by=self.by, code=given["code"]))

    def shown(self) -> HttpResponseBase:
        return self._fresh(services.prove_passkey(**ceremonies.take(self.request, ceremonies.STEP_UP), by=self.by))

    def page(self, form: forms.Form, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        return super().page(form, status, passkey=selectors.has_passkey(self.by), **context)

    def _fresh(self, at: datetime) -> HttpResponseBase:
        sessions.stamp_factor(self.request, at)
        return HttpResponseRedirect(start_page(self.request, self.by))


class EnrolDoor(Door):
    """A page for a new factor: the first with the password alone, any other with a fresh one."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.by.id is None:
            return sessions.towards(reverse("sign-in"))
        if self.by.second_factor_at is None and selectors.has_factor_device(self.by):
            return sessions.towards(reverse("factor"))
        if self.by.second_factor_at is not None and (away := sessions.step_up(request, self.by)):
            return away
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def through(self, at: datetime) -> HttpResponseBase:
        """On with the way in; or, for one more factor, back to the list."""
        if self.by.second_factor_at is not None:
            return HttpResponseRedirect(reverse("factors"))
        sessions.stamp_factor(self.request, at)
        return HttpResponseRedirect(start_page(self.request, self.by))


class EnrolTOTP(EnrolDoor):
    """Set up an authenticator app."""

    form = EnrolForm
    template = "accounts/enrol_totp.html"

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        return self.through(services.confirm_enrolment(by=self.by, code=given["code"], name=given["name"]))

    def page(self, form: forms.Form, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        try:
            device = services.start_enrolment(by=self.by)
        except FactorInUse:
            return sessions.towards(reverse("factor"))
        return super().page(form, status, **context, **_picture(device, selectors.account_for(self.by)))


class AcceptInvitation(Door):
    """Choose a password: a new account, or the old one recovered."""

    form = NewPasswordForm
    template = "accounts/invitation.html"

    def get(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        try:
            known = selectors.joins(selectors.open_invitation(kwargs["token"]))
        except InvitationUnusable as error:
            return answer(request, error, WORDS)
        if known is None:
            return self.page(self.form())
        if self.by.id != known.pk:
            return sessions.towards(reverse("sign-in"), request.path)
        who = sessions.guard(request)
        return self.page(ConfirmForm(), joins=True) if isinstance(who, Actor) else who

    def post(self, request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        """With a password for a new or recovered account; without one for an account that accepts as it is."""
        if "password" in request.POST:
            return super().post(request, **kwargs)
        try:
            services.accept(token=kwargs["token"], by=self.by)
        except DomainError as error:
            return answer(request, error, WORDS)
        return HttpResponseRedirect(start_page(request, self.by))

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        user = services.accept(token=kwargs["token"], password=given["password"], by=self.by)
        sessions.begin(self.request, user)
        return sessions.towards(reverse("enrol-totp"))

    def refused(self, form: forms.Form, error: DomainError, **kwargs: str) -> HttpResponse:
        if isinstance(error, InvitationUnusable):
            return answer(self.request, error, WORDS)
        if isinstance(error, PasswordTooWeak):
            form.add_error("password", str(WORDS["password_too_weak"]))
            return self.page(form, HTTPStatus.BAD_REQUEST)
        return super().refused(form, error)


class SignOut(View):
    """The end of a session, on record; the browser forgets what it kept."""

    http_method_names = ["post"]
    while_locked = frozenset({"post"})

    def post(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "by", ANONYMOUS).id is not None:
            sessions.end(request, "asked")
        response = sessions.towards(reverse("sign-in"))
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


class Welcome(Page):
    """Where patients arrive: the rest happens in the app."""

    access = (Action.READ, Resource.ACCOUNT)
    template = "accounts/welcome.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show()


def start_page(request: HttpRequest, by: Actor) -> str:
    """Where the person wanted to go, else where people of this role start."""
    onward = sessions.onward(request)
    return reverse("welcome") if onward == "/" and by.role in ("patient", "proxy") else onward


def _picture(device: TOTPDevice, user: User) -> dict[str, str]:
    seed = device.seed
    uri = totp.uri(seed, user.email)
    svg = segno.make(uri, error="m").svg_inline(border=4, light="#fff", dark="#000", omitsize=True)
    return {"secret": seed, "uri": uri, "qr": mark_safe(svg)}  # made here, from base32 and quoted text
