"""Django's admin for accounts: administrators invite, move and switch off staff; patients' accounts are ids to them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from telehealth.accounts import services
from telehealth.accounts.access import Resource, Role
from telehealth.accounts.admin_decisions import DecisionAdmin
from telehealth.accounts.admin_import import ImportAdmin
from telehealth.accounts.admin_staff import GIVEN_REASONS, STAFF_ROLES
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.accounts.models import Application, Invitation, User
from telehealth.accounts.selectors import account_of_email


class InvitationForm(forms.ModelForm):
    """Whom to invite."""

    address = forms.EmailField(label=_("e-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("role"), choices=STAFF_ROLES)
    name = forms.CharField(label=_("name"), max_length=200)
    code = forms.ChoiceField(label=_("reason"), choices=GIVEN_REASONS)
    in_words = forms.CharField(label=_("in words"), max_length=1000, required=False, widget=forms.Textarea)
    until = forms.SplitDateTimeField(label=_("until"), required=False, widget=AdminSplitDateTime)

    class Meta:
        model = Invitation
        fields = ["role", "name"]

    def clean_address(self) -> str:
        email: str = self.cleaned_data["address"]
        if account_of_email(email):
            raise forms.ValidationError(_("Another account signs in with this e-mail address."), code="email_taken")
        return email


@admin.register(User)
class UserAdmin(DecisionAdmin):
    """Everybody's account: staff by name, patients by id. Roles are granted, and factors reset, by two: see there."""

    resource = Resource.STAFF_ACCOUNT
    list_display = ("id", "name", "role", "is_active", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("=id", "name")
    shown = ("id", "name", "role", "role_until", "is_active", "created_at")
    actions = ("switch_off", "switch_on", "leave")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people are invited

    @admin.action(description=_("Switch off"), permissions=["act"])
    def switch_off(self, request: HttpRequest, chosen: "QuerySet[User]") -> None:
        others = chosen.exclude(pk=request.by.id)  # type: ignore[attr-defined]
        self.each(request, others, lambda user: services.switch_off(account_id=user.pk, by=request.by))  # type: ignore[attr-defined]

    @admin.action(description=_("Switch on"), permissions=["act"])
    def switch_on(self, request: HttpRequest, chosen: "QuerySet[User]") -> None:
        self.each(request, chosen, lambda user: services.switch_on(account_id=user.pk, by=request.by))  # type: ignore[attr-defined]

    @admin.action(description=_("Leaves the clinic: end everything at once"), permissions=["act"])
    def leave(self, request: HttpRequest, chosen: "QuerySet[User]") -> None:
        self.each(request, chosen, lambda user: self._leave(request, user))

    def _leave(self, request: HttpRequest, user: User) -> None:
        told = services.leave(account_id=user.pk, by=request.by)  # type: ignore[attr-defined]
        counts = ", ".join(f"{name} {count}" for name, count in told.items())
        self.message_user(request, _("%(name)s has left. Ended, and left open: %(counts)s.") % {"name": user.name, "counts": counts})


@admin.register(Invitation)
class InvitationAdmin(ImportAdmin):
    """Invitations of staff, which leave when somebody else approves the role; those of patients are the desk's business."""

    resource = Resource.STAFF_ACCOUNT
    form = InvitationForm
    list_display = ("id", "name", "role", "created_at", "expires_at", "accepted_at")
    shown = list_display

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Invitation]":
        return Invitation.objects.filter(patient=None)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = services.invite_staff(
            email=given["address"],
            role=Role(given["role"]),
            name=given["name"],
            code=given["code"],
            why=given["in_words"],
            expires_at=given["until"],
            by=request.by,  # type: ignore[attr-defined]
        )
        obj.pk = made.pk


class ApplicationAdmin(TableAdmin):
    """`APPLICATION_ADMIN_CLASS`: the apps that people may connect."""

    resource = Resource.APP
    list_display = ("client_id", "name", "client_type", "created")
    fields = ("client_id", "name", "client_type", "redirect_uris", "client_secret")

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        services.register_app(app=obj, by=request.by)  # type: ignore[attr-defined]
