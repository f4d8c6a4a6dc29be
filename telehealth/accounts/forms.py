"""What the sign-in pages ask for. Shapes only; services decide."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

LONGEST_PASSWORD = 256


def _password_hint() -> str:
    return " ".join(password_validators_help_texts())


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        help_text=_("The six digits that your authenticator app shows now."),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}),
    )


class RecoveryForm(forms.Form):
    code = forms.CharField(
        label=_("Recovery code"),
        help_text=_("One of the ten that you wrote down. Each is good once."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )


class FactorNameForm(forms.Form):
    name = forms.CharField(label=_("Name of this device"), max_length=60)


class EnrolForm(CodeForm):
    name = forms.CharField(label=_("Name of this device"), max_length=60, required=False)


class PasskeyForm(FactorNameForm):
    answer = forms.CharField(widget=forms.HiddenInput, max_length=20_000)


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=_("New e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True})
    )


class ConfirmForm(forms.Form):
    """A button."""


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text=lazy(_password_hint, str)(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )
    password_again = forms.CharField(
        label=_("The same password again"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        password, again = given.get("password"), given.get("password_again")
        if password and again and password != again:
            self.add_error("password_again", forms.ValidationError(_("The two passwords differ."), code="differs"))
        elif password:
            try:
                validate_password(password)
            except forms.ValidationError as weak:
                self.add_error("password", weak)
        return given


class PasswordForm(NewPasswordForm):
    current = forms.CharField(
        label=_("Password until now"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ["current", "password", "password_again"]
