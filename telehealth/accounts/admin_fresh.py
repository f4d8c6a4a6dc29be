"""Forms of Django's admin for acts that need a fresh second factor: they ask for a code when the last one is too old."""

from dataclasses import replace
from typing import Any, ClassVar, Self

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from audit.ledger import ANONYMOUS, Actor
from telehealth.accounts import factors, services, sessions
from telehealth.accounts.errors import CodeReplayed, CodeWrong, TooManyAttempts

WORDS = {
    CodeWrong.code: _("This is not the code that your authenticator shows now."),
    CodeReplayed.code: _("This code has been used. Wait for the next one."),
    TooManyAttempts.code: _("Too many attempts. Wait a while."),
}


class FreshForm(forms.ModelForm):  # type: ignore[type-arg]
    """`form.by` is the actor with the factor that was shown: hand it to the service, which asks again."""

    request: ClassVar[HttpRequest]
    by: Actor

    @classmethod
    def for_request(cls, request: HttpRequest) -> type[Self]:
        """The form for who asks: with a field for the code unless a factor was shown just now."""
        fields: dict[str, Any] = {"request": request, "__module__": cls.__module__}
        if not factors.is_fresh(getattr(request, "by", ANONYMOUS)):
            fields["code"] = forms.CharField(
                label=_("code"),
                max_length=16,
                help_text=format_html(
                    '{} <a href="{}?{}">{}</a>',
                    _("The six digits that your authenticator app shows now."),
                    reverse("step-up-page"),
                    urlencode({"next": request.get_full_path()}),
                    _("Or confirm with a passkey first."),
                ),
                widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
            )
        return type(cls.__name__, (cls,), fields)

    def clean(self) -> dict[str, Any]:
        """The code is used up last, so that a form with another mistake does not cost one."""
        given = super().clean() or {}
        self.by = getattr(self.request, "by", ANONYMOUS)
        if "code" in self.fields and not self.errors:
            self._prove(given["code"])
        return given

    def _prove(self, code: str) -> None:
        try:
            at = services.prove(by=self.by, code=code)
        except (CodeWrong, CodeReplayed, TooManyAttempts) as no:
            self.add_error("code", forms.ValidationError(WORDS[no.code], code=no.code))
            return
        sessions.stamp_factor(self.request, at)
        self.by = replace(self.by, second_factor_at=at)
