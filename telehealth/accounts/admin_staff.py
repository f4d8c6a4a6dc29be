"""Roles and resets of the staff in Django's admin: one asks, another approves; what stands is confirmed every 90 days."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from telehealth.accounts import selectors, services
from telehealth.accounts.access import Resource, Role
from telehealth.accounts.admin_decisions import DecisionAdmin
from telehealth.accounts.models import GrantReason, ResetReason, RoleGrant, StaffReset, User
from telehealth.accounts.models.people import PATIENT_SIDE, ROLES
from telehealth.accounts.models.staff import RECERTIFY, WAITING
from telehealth.core import now

STAFF_ROLES = [(role.value, label) for role, label in ROLES if role not in PATIENT_SIDE]
GIVEN_REASONS = [(code, label) for code, label in GrantReason.choices if code != GrantReason.OPERATOR]


class StaffChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the staff, by name."""

    def label_from_instance(self, obj: User) -> str:
        return f"{obj.name} ({obj.get_role_display()})"


class AskForm(forms.ModelForm):  # type: ignore[type-arg]
    """For whom, and why."""

    account = StaffChoice(label=_("account"), queryset=User.objects.none())
    in_words = forms.CharField(label=_("in words"), max_length=1000, widget=forms.Textarea)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        if isinstance(field, StaffChoice):
            field.queryset = selectors.all_staff()


class RoleForm(AskForm):
    role = forms.ChoiceField(label=_("role"), choices=STAFF_ROLES)
    code = forms.ChoiceField(label=_("reason"), choices=GIVEN_REASONS)

    class Meta:
        model = RoleGrant
        fields = ["account", "role", "code", "expires_at"]


class ResetForm(AskForm):
    code = forms.ChoiceField(label=_("reason"), choices=ResetReason.choices)

    class Meta:
        model = StaffReset
        fields = ["account", "code"]


class StateFilter(admin.SimpleListFilter):
    """What waits for an approval, what stands, what must be confirmed."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("waits for approval")), ("standing", _("stands")), ("due", _("to be confirmed"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[RoleGrant]") -> "QuerySet[RoleGrant]":
        standing = Q(starts_at__isnull=False, ended_at=None)
        if self.value() == "waiting":
            return queryset.filter(WAITING)
        if self.value() == "due":
            return queryset.filter(standing).annotate(since=Coalesce("confirmed_at", "starts_at")).filter(since__lte=now() - RECERTIFY)
        return queryset.filter(standing) if self.value() == "standing" else queryset


@admin.register(RoleGrant)
class RoleGrantAdmin(DecisionAdmin):
    """Who has which role, since when, by whose word, until when; and the list for recertification."""

    resource = Resource.ROLE_GRANT
    form = RoleForm
    list_display = ("id", "who", "role", "code", "requested_by", "approved_by", "starts_at", "expires_at", "ended_at", "due")
    shown = (*list_display, "requested_at", "approved_at", "withdrawn_at", "confirmed_at", "words")
    list_filter = (StateFilter, "role")
    actions = ("approve", "withdraw", "confirm", "end")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[RoleGrant]":
        return RoleGrant.objects.select_related("account", "invitation")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """The state, too: it is no column."""
        return lookup == StateFilter.parameter_name or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("who"))
    def who(self, grant: RoleGrant) -> str:
        """By name: staff are not patients here."""
        if grant.account is not None:
            return grant.account.name
        return grant.invitation.name if grant.invitation else ""

    @admin.display(description=_("confirm by"))
    def due(self, grant: RoleGrant) -> datetime | None:
        """When the role must have been confirmed again."""
        return grant.due_at

    @admin.display(description=_("in words"))
    def words(self, grant: RoleGrant) -> str:
        """Why, as it was written."""
        return grant.why or ""

    def save_model(self, request: HttpRequest, obj: RoleGrant, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = services.request_role(
            account_id=given["account"].pk,
            role=Role(given["role"]),
            code=given["code"],
            why=given["in_words"],
            expires_at=given["expires_at"],
            by=request.by,  # type: ignore[attr-defined]
        )
        obj.pk = made.pk

    @admin.action(description=_("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, chosen: "QuerySet[RoleGrant]") -> None:
        self.each(request, chosen, lambda grant: services.approve_role(grant_id=grant.pk, by=request.by))  # type: ignore[attr-defined]

    @admin.action(description=_("Withdraw the request"), permissions=["act"])
    def withdraw(self, request: HttpRequest, chosen: "QuerySet[RoleGrant]") -> None:
        self.each(request, chosen, lambda grant: services.withdraw_role_request(grant_id=grant.pk, by=request.by))  # type: ignore[attr-defined]

    @admin.action(description=_("Confirm for another 90 days"), permissions=["act"])
    def confirm(self, request: HttpRequest, chosen: "QuerySet[RoleGrant]") -> None:
        self.each(request, chosen, lambda grant: services.confirm_role(grant_id=grant.pk, by=request.by))  # type: ignore[attr-defined]

    @admin.action(description=_("End now"), permissions=["act"])
    def end(self, request: HttpRequest, chosen: "QuerySet[RoleGrant]") -> None:
        self.each(request, chosen, lambda grant: services.end_role(grant_id=grant.pk, by=request.by))  # type: ignore[attr-defined]


@admin.register(StaffReset)
class StaffResetAdmin(DecisionAdmin):
    """Who of the staff cannot sign in any more: asked for by adding, approved by somebody else."""

    resource = Resource.ROLE_GRANT
    form = ResetForm
    list_display = ("id", "who", "code", "requested_by", "requested_at", "approved_by", "approved_at", "withdrawn_at")
    shown = (*list_display, "words")
    actions = ("approve", "withdraw")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[StaffReset]":
        return StaffReset.objects.select_related("account")

    @admin.display(description=_("who"))
    def who(self, asked: StaffReset) -> str:
        """By name: staff are not patients here."""
        return asked.account.name

    @admin.display(description=_("in words"))
    def words(self, asked: StaffReset) -> str:
        """Why, as it was written."""
        return asked.why or ""

    def save_model(self, request: HttpRequest, obj: StaffReset, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = services.request_reset(account_id=given["account"].pk, code=given["code"], why=given["in_words"], by=request.by)  # type: ignore[attr-defined]
        obj.pk = made.pk

    @admin.action(description=_("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, chosen: "QuerySet[StaffReset]") -> None:
        self.each(request, chosen, lambda asked: services.approve_reset(reset_id=asked.pk, by=request.by))  # type: ignore[attr-defined]

    @admin.action(description=_("Withdraw the request"), permissions=["act"])
    def withdraw(self, request: HttpRequest, chosen: "QuerySet[StaffReset]") -> None:
        self.each(request, chosen, lambda asked: services.withdraw_reset(reset_id=asked.pk, by=request.by))  # type: ignore[attr-defined]
