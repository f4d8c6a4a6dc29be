"""Django's admin for accounts: administrators invite, move and switch off staff; patients' accounts are ids to them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from telehealth.accounts import services
from telehealth.accounts.access import Resource, Role
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.accounts.models import Application, Invitation, User
from telehealth.accounts.models.people import PATIENT_SIDE, ROLES
from telehealth.accounts.selectors import account_of_email
from telehealth.core.errors import DomainError

STAFF_ROLES = [(role.value, label) for role, label in ROLES if role not in PATIENT_SIDE]


class RoleForm(forms.ModelForm):
    """The one thing to change about an account."""

    role = forms.ChoiceField(label=_("role"), choices=STAFF_ROLES)

    class Meta:
        model = User
        fields = ["role"]


class InvitationForm(forms.ModelForm):
    """Whom to invite."""

    address = forms.EmailField(label=_("e-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("role"), choices=STAFF_ROLES)
    name = forms.CharField(label=_("name"), max_length=200)

    class Meta:
        model = Invitation
        fields = ["role", "name"]

    def clean_address(self) -> str:
        email: str = self.cleaned_data["address"]
        if account_of_email(email):
            raise forms.ValidationError(_("Another account signs in with this e-mail address."), code="email_taken")
        return email


@admin.register(User)
class UserAdmin(TableAdmin):
    """Everybody's account: staff by name, patients by id."""

    resource = Resource.STAFF_ACCOUNT
    form = RoleForm
    list_display = ("id", "name", "role", "is_active", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("=id", "name")
    ordering = ("-id",)
    readonly_fields = ("id", "name", "is_active", "created_at")
    fields = ("id", "name", "role", "is_active", "created_at")
    actions = ("switch_off", "switch_on", "reset")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people are invited

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and (obj.is_patient_side or obj.pk == request.user.pk):
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if "role" in form.changed_data:
            services.change_role(account_id=obj.pk, role=Role(form.cleaned_data["role"]), by=request.by)  # type: ignore[attr-defined]

    @admin.action(description=_("Switch off"), permissions=["act"])
    def switch_off(self, request: HttpRequest, chosen: "QuerySet[User]") -> None:
        for user in chosen:
            if user.pk != request.by.id:  # type: ignore[attr-defined]
                services.switch_off(account_id=user.pk, by=request.by)  # type: ignore[attr-defined]

    @admin.action(description=_("Switch on"), permissions=["act"])
    def switch_on(self, request: HttpRequest, chosen: "QuerySet[User]") -> None:
        for user in chosen:
            services.switch_on(account_id=user.pk, by=request.by)  # type: ignore[attr-defined]

    @admin.action(description=_("Invite to a new password and second factor"), permissions=["act"])
    def reset(self, request: HttpRequest, chosen: "QuerySet[User]") -> None:
        for user in chosen:
            try:
                services.reset_staff(account_id=user.pk, by=request.by)  # type: ignore[attr-defined]
            except DomainError:
                self.message_user(request, _("Only switched-on staff can be invited again."), messages.WARNING)


@admin.register(Invitation)
class InvitationAdmin(TableAdmin):
    """Invitations of staff; those of patients are the desk's business."""

    resource = Resource.STAFF_ACCOUNT
    form = InvitationForm
    list_display = ("id", "name", "role", "created_at", "expires_at", "accepted_at")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Invitation]":
        return Invitation.objects.filter(patient=None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = services.invite_staff(email=given["address"], role=Role(given["role"]), name=given["name"], by=request.by)  # type: ignore[attr-defined]
        obj.pk = made.pk


class ApplicationAdmin(TableAdmin):
    """`APPLICATION_ADMIN_CLASS`: the apps that people may connect."""

    resource = Resource.APP
    list_display = ("client_id", "name", "client_type", "created")
    fields = ("client_id", "name", "client_type", "redirect_uris", "client_secret")

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        services.register_app(app=obj, by=request.by)  # type: ignore[attr-defined]
