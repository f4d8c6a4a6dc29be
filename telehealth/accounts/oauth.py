"""OAuth 2.0 for apps: authorisation code with PKCE (RFC 6749, 7636, 8252, 9700) on django-oauth-toolkit.

What is added to it: a code is given only to a session with its second factor shown; codes and tokens carry that and
the account's epoch; a replayed code or refresh token ends the whole family and is on record.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.views import AuthorizationView, IntrospectTokenView, RevokeTokenView, TokenView

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import devices, services, sessions
from telehealth.accounts.access import APP_SCOPES
from telehealth.accounts.authentication import actor_of
from telehealth.accounts.models import AccessToken, Application, Grant, RefreshToken, Session

GRANT_TYPES = ("authorization_code", "refresh_token")


class Validator(OAuth2Validator):  # type: ignore[misc]  # untyped
    """The toolkit's rules, and ours."""

    def _load_application(self, client_id: str | None, request: Any) -> Application | None:
        """No client has a NUL in its name, and PostgreSQL cannot be asked for one."""
        return None if client_id and "\0" in client_id else super()._load_application(client_id, request)

    def _create_authorization_code(self, request: Any, code: dict[str, str], expires: datetime | None = None) -> Grant:
        grant: Grant = super()._create_authorization_code(request, code, expires)
        grant.epoch, grant.factor_at = request.user.epoch, request.user.factor_at
        grant.save(update_fields=["epoch", "factor_at"])
        return grant

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Good once: who comes again with a code ends what was given for it (RFC 6749 section 4.1.2)."""
        grants = Grant.objects.select_for_update(of=("self",)).select_related("user")
        grant = grants.filter(code=code, application=client).first()
        if grant is None:
            self._end_family(family_of(code), "code_replayed")
            return False
        request.proven = grant
        return grant.stands() and bool(super().validate_code(client_id, code, client, request, *args, **kwargs))

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Good once: a used one ends its family (the toolkit does), which is put on record here."""
        checksum = hashlib.sha256(refresh_token.encode()).hexdigest()
        held = RefreshToken.objects.select_for_update(of=("self",)).select_related("user", "session")
        known = held.filter(token_checksum=checksum).order_by(F("revoked").desc(nulls_first=True)).first()
        if known is not None and known.revoked is not None:
            refuse(_person(known), "refresh_token_reused", kind=RefreshToken._meta.label)
        if known is None or not known.stands():
            return False
        return bool(super().validate_refresh_token(refresh_token, client, request, *args, **kwargs))

    def _create_access_token(self, expires: Any, request: Any, token: Any, source_refresh_token: Any = None) -> AccessToken:
        made: AccessToken = super()._create_access_token(expires, request, token, source_refresh_token)
        proven = source_refresh_token or request.proven
        made.epoch, made.factor_at = proven.epoch, proven.factor_at
        made.session = source_refresh_token.session if source_refresh_token else _app_session(made, request.headers)
        made.save(update_fields=["epoch", "factor_at", "session"])
        record(actor_of(made), Act.APP_GRANTED, detail={"grant": str(request.grant_type)})
        return made

    def _create_refresh_token(self, request: Any, code: str, access_token: AccessToken, previous: Any) -> RefreshToken:
        made: RefreshToken = super()._create_refresh_token(request, code, access_token, previous)
        made.epoch, made.factor_at, made.session = access_token.epoch, access_token.factor_at, access_token.session
        if previous is None:
            made.token_family = family_of(request.code)
        made.save(update_fields=["epoch", "factor_at", "session", "token_family"])
        return made

    def _end_family(self, family: UUID, reason: str) -> None:
        member = RefreshToken.objects.select_related("user").filter(token_family=family).first()
        if member is not None:
            refuse(_person(member), reason, kind=RefreshToken._meta.label)
            RefreshToken.revoke_family(family)


def _app_session(token: AccessToken, told: dict[str, str]) -> Session:
    """What the app holds from one consent on, as the person finds it on the list of their sessions."""
    where = {"device": devices.words(told.get("HTTP_USER_AGENT", "")), "network": devices.prefix(told.get("REMOTE_ADDR", ""))}
    by = actor_of(token)
    return services.open_session(account_id=by.account, application=token.application, by=by, **where)


def family_of(code: str) -> UUID:
    """The family of tokens that one authorisation code begins."""
    return UUID(bytes=hashlib.sha256(b"family:" + code.encode()).digest()[:16])


def _person(token: RefreshToken) -> Actor:
    return Actor(id=token.user_id, role=token.user.role)


class Authorize(AuthorizationView):  # type: ignore[misc]
    """The consent page. Nobody comes here without both factors; nothing is granted without being asked."""

    template_name = "accounts/consent.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        who = sessions.guard(request)
        if not isinstance(who, Actor):
            return who
        request.user.factor_at = who.second_factor_at  # type: ignore[union-attr]  # the code will carry it
        if "approval_prompt" in request.GET:  # an app does not decide whether the person is asked
            asked = request.GET.copy()
            del asked["approval_prompt"]
            request.GET = asked  # type: ignore[assignment]
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.GET.get("code_challenge_method") != "S256":  # left out it would mean "plain"
            return self.form_invalid(None)
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """What cannot have come from our page, or asks for less than we give: a page, and nothing to the app."""
        return self.render_to_response({"error": {"error": "invalid_request"}}, status=400)

    def form_valid(self, form: Any) -> HttpResponseBase:
        given = form.cleaned_data
        known = Application.objects.filter(client_id=given["client_id"]).exists()
        if not known or given["code_challenge_method"] != "S256" or not given["code_challenge"]:
            return self.form_invalid(form)
        response: HttpResponseBase = super().form_valid(form)
        if given["allow"] and "code=" in response.headers.get("Location", ""):
            by: Actor = self.request.by
            record(by, Act.APP_AUTHORISED, detail={"client": given["client_id"]})
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if target := self.oauth2_data.get("redirect_uri"):  # browsers apply form-action to the redirect too
            scheme = str(target).split(":", 1)[0]
            self.request.consent_target = f"{scheme}:"
        return context

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **kwargs)
        if target := getattr(self.request, "consent_target", ""):
            response._csp_update = {"form-action": ["'self'", target]}  # type: ignore[attr-defined]  # noqa: SLF001  # django-csp's way
        return response


@method_decorator(csrf_exempt, name="dispatch")
class Token(TokenView):  # type: ignore[misc]
    """Codes and refresh tokens for tokens; no other grant. One transaction, in which the code or token that is traded
    is locked: who comes second finds it used."""

    http_method_names = ["post"]

    @method_decorator(transaction.atomic)
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("grant_type") not in GRANT_TYPES:
            return JsonResponse({"error": "unsupported_grant_type"}, status=400)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


@method_decorator(csrf_exempt, name="dispatch")
class Revoke(RevokeTokenView):  # type: ignore[misc]
    """RFC 7009."""

    http_method_names = ["post"]


@method_decorator(csrf_exempt, name="dispatch")
class Introspect(IntrospectTokenView):  # type: ignore[misc]
    """RFC 7662, for confidential clients; by POST only, for addresses end up in logs."""

    http_method_names = ["post"]


class Metadata(View):
    """RFC 8414: what there is, and nothing more."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> JsonResponse:
        def address(name: str) -> str:
            return settings.PUBLIC_URL.rstrip("/") + reverse(name)

        return JsonResponse(
            {
                "issuer": settings.PUBLIC_URL.rstrip("/"),
                "authorization_endpoint": address("oauth-authorize"),
                "token_endpoint": address("oauth-token"),
                "revocation_endpoint": address("oauth-revoke"),
                "introspection_endpoint": address("oauth-introspect"),
                "scopes_supported": sorted(APP_SCOPES),
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": list(GRANT_TYPES),
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
                "authorization_response_iss_parameter_supported": True,
            }
        )
