"""OAuth 2.0 for apps: authorisation code with PKCE (RFC 6749, 7636, 8252, 9700) on django-oauth-toolkit.

What is added to it: a code is given only to a session with its second factor shown; codes and tokens carry that and
the account's epoch; a replayed code or refresh token ends the whole family and is on record.
"""

import hashlib
import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.views import AuthorizationView, IntrospectTokenView, RevokeTokenView, TokenView

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import app_scopes, devices, reauthentication, services, sessions
from telehealth.accounts.authentication import actor_of
from telehealth.accounts.errors import ACR
from telehealth.accounts.models import AccessToken, Application, Grant, RefreshToken, Session
from telehealth.accounts.oidc import GRANT_TYPES, Identity, issuer


class Validator(Identity):
    """The toolkit's rules, and ours."""

    def _load_application(self, client_id: str | None, request: Any) -> Application | None:
        """No client has a NUL in its name, and PostgreSQL cannot be asked for one."""
        return None if client_id and "\0" in client_id else super()._load_application(client_id, request)

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Letter by letter one of those that the operator wrote down (RFC 9700 section 2.1)."""
        return redirect_uri in request.client.redirect_uris.split()

    def validate_scopes(self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Asked for by name, each of them known."""
        return bool(scopes) and bool(super().validate_scopes(client_id, scopes, client, request, *args, **kwargs))

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        """Only who asked for `offline_access` is handed the refresh token; the others' stays with us, to end the family by."""
        super().save_bearer_token(token, request, *args, **kwargs)
        if "offline_access" not in token["scope"].split():
            token.pop("refresh_token", None)

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
        """Good once: a used one ends its family, on record."""
        checksum = hashlib.sha256(refresh_token.encode()).hexdigest()
        held = RefreshToken.objects.select_for_update(of=("self",)).select_related("user", "session")
        known = held.filter(token_checksum=checksum).order_by(F("revoked").desc(nulls_first=True)).first()
        if known is not None and known.revoked is not None:
            self._end_family(known.token_family, "refresh_token_reused")
            return False
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

    def revoke_token(self, token: str, token_type_hint: str | None, request: Any, *args: Any, **kwargs: Any) -> None:
        """RFC 7009: what the app holds by this consent is over, whichever of its tokens it names."""
        checksum = hashlib.sha256(token.encode()).hexdigest()
        for model in (AccessToken, RefreshToken):
            held = model.objects.select_related("user").filter(token_checksum=checksum, application=request.client).first()
            if held is not None and held.session_id is not None:
                services.end_app_session(session_id=held.session_id, reason="app_signed_out", by=_person(held))
        super().revoke_token(token, token_type_hint, request, *args, **kwargs)

    def _end_family(self, family: UUID, reason: str) -> None:
        member = RefreshToken.objects.select_related("user").filter(token_family=family).first()
        if member is not None:
            refuse(_person(member), reason, kind=RefreshToken._meta.label)
            RefreshToken.revoke_family(family)
            if member.session_id is not None:
                services.end_app_session(session_id=member.session_id, reason=reason, by=_person(member))


def _app_session(token: AccessToken, told: dict[str, str]) -> Session:
    """What the app holds from one consent on, as the person finds it on the list of their sessions."""
    where = {"device": devices.words(told.get("HTTP_USER_AGENT", "")), "network": devices.prefix(told.get("REMOTE_ADDR", ""))}
    by = actor_of(token)
    return services.open_session(account_id=by.account, application=token.application, by=by, **where)


def family_of(code: str) -> UUID:
    """The family of tokens that one authorisation code begins."""
    return UUID(bytes=hashlib.sha256(b"family:" + code.encode()).digest()[:16])


def _person(token: AccessToken | RefreshToken) -> Actor:
    by: Actor = token.user.actor
    return by


class Authorize(AuthorizationView):  # type: ignore[misc]
    """The consent page. Nobody comes here without both factors; nothing is granted without being asked."""

    template_name = "accounts/consent.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            wish = reauthentication.read(request.GET)
        except reauthentication.Unclear:
            return self.form_invalid(None)
        request.META["QUERY_STRING"] = wish.onward()  # what a sign-in or a step-up leads back to
        who = sessions.guard(request)
        if not isinstance(who, Actor):
            return self.turn_away(wish, "login_required") if wish.silent else who
        if not wish.met_in_kind:
            return self.turn_away(wish, "unmet_authentication_requirements")
        if wish.silent:  # nobody is asked nothing: whether they would be fresh enough is not told either
            return self.turn_away(wish, "consent_required" if wish.fresh_enough(who, reading=False) else "login_required")
        if not wish.fresh_enough(who, reading=request.method == "POST"):
            return sessions.towards(reverse("step-up-page"), request.get_full_path())
        request.user.factor_at = who.second_factor_at  # type: ignore[union-attr]  # the code will carry it
        self._hear(wish)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def _hear(self, wish: reauthentication.Wish) -> None:
        """Only what is meant reaches the toolkit: an app does not decide whether the person is asked."""
        self.request.GET = wish.passed_on()
        self.request.META["QUERY_STRING"] = self.request.GET.urlencode()

    def turn_away(self, wish: reauthentication.Wish, code: str) -> HttpResponseBase:
        """Back to the app with an error: if it is one of ours, and asked rightly otherwise."""
        self._hear(wish)
        try:
            _, asked = self.validate_authorization_request(self.request)
        except OAuthToolkitError as error:
            response: HttpResponseBase = self.error_response(error, None)
            return response
        told = {"error": code, "state": asked["state"]}
        query = urlencode({name: value for name, value in told.items() if value})
        target = asked["redirect_uri"]
        return self.redirect(f"{target}{'&' if '?' in target else '?'}{query}", None)

    def redirect(self, redirect_to: str, application: Any) -> HttpResponseBase:
        """Every answer to an app names us, errors too (RFC 9207): it cannot be taken for another server's."""
        if "iss" not in parse_qs(urlsplit(redirect_to).query):
            redirect_to += f"&{urlencode({'iss': issuer()})}"
        response: HttpResponseBase = super().redirect(redirect_to, application)
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
        names = self.oauth2_data.get("scopes", [])
        context |= {"will": app_scopes.will(names), "will_not": app_scopes.will_not(names), "as_role": self.request.user.get_role_display()}
        if target := self.oauth2_data.get("redirect_uri"):  # browsers apply form-action to the redirect too
            scheme = str(target).split(":", 1)[0]
            self.request.consent_target = f"{scheme}:"
            context["leads_to"] = urlsplit(str(target)).hostname or scheme
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
    """RFC 7662, for confidential clients; by POST only, for addresses end up in logs. Says when the person showed a
    factor (RFC 9470 section 6.2), and whom we mean by a number."""

    http_method_names = ["post"]

    @staticmethod
    def get_token_response(token_value: str | None = None) -> JsonResponse:
        reply: JsonResponse = IntrospectTokenView.get_token_response(token_value)
        told = json.loads(reply.content)
        if told.get("active"):
            checksum = hashlib.sha256(str(token_value).encode()).hexdigest()
            token = AccessToken.objects.get(token_checksum=checksum)
            told |= {"iss": issuer(), "sub": str(token.user_id), "token_type": "Bearer", "acr": ACR}
            told |= {"auth_time": int(token.factor_at.timestamp())} if token.factor_at else {}
            del told["username"]
        return JsonResponse(told, status=reply.status_code)
