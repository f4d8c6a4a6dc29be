"""Where the pages, the OAuth endpoints and the REST faces of this app live."""

from django.urls import path

from telehealth.accounts import api as faces
from telehealth.accounts import api_sessions, app_links, oauth, oidc, presence
from telehealth.accounts import portal as pages
from telehealth.accounts import portal_factors as own

portal = [
    path("sign-in/", pages.SignIn.as_view(), name="sign-in"),
    path("sign-in/factor/", pages.Factor.as_view(), name="factor"),
    path("step-up/", pages.StepUp.as_view(), name="step-up-page"),
    path("session/", presence.Presence.as_view(), name="presence"),
    path("session/unlock/", presence.Unlock.as_view(), name="unlock"),
    path("sessions/", presence.Sessions.as_view(), name="sessions"),
    path("sign-out/", pages.SignOut.as_view(), name="sign-out"),
    path("sign-in/recovery/", pages.Recovery.as_view(), name="recovery"),
    path("passkeys/options/", own.Options.as_view(), name="passkey-options"),
    path("factors/", own.Factors.as_view(), name="factors"),
    path("factors/passkey/", own.AddPasskey.as_view(), name="add-passkey"),
    path("factors/password/", own.ChangePassword.as_view(), name="change-password"),
    path("factors/address/", own.ChangeAddress.as_view(), name="change-address"),
    path("factors/address/<str:token>/", own.ConfirmAddress.as_view(), name="email-change"),
    path("factors/totp/", pages.EnrolTOTP.as_view(), name="enrol-totp"),
    path("invitation/<str:token>/", pages.AcceptInvitation.as_view(), name="invitation"),
    path("welcome/", pages.Welcome.as_view(), name="welcome"),
    path("oauth/authorize/", oauth.Authorize.as_view(), name="oauth-authorize"),
    path("oauth/token/", oauth.Token.as_view(), name="oauth-token"),
    path("oauth/revoke/", oauth.Revoke.as_view(), name="oauth-revoke"),
    path("oauth/introspect/", oauth.Introspect.as_view(), name="oauth-introspect"),
    path("oauth/keys/", oidc.Keys.as_view(), name="oauth-keys"),
    path(".well-known/oauth-authorization-server", oidc.Metadata.as_view(), name="oauth-metadata"),
    path(".well-known/openid-configuration", oidc.Metadata.as_view(), name="openid-configuration"),
    path(".well-known/assetlinks.json", app_links.Android.as_view(), name="android-app-links"),
    path(".well-known/apple-app-site-association", app_links.Apple.as_view(), name="apple-app-links"),
]

api = [
    path("me/", faces.Me.as_view(), name="me"),
    path("sessions/", api_sessions.SessionList.as_view(), name="sessions-api"),
    path("sessions/end-others/", api_sessions.EndOthers.as_view(), name="sessions-end-others"),
    path("sessions/<uuid:session_id>/", api_sessions.SessionItem.as_view(), name="session-api"),
    path("step-up/", faces.StepUp.as_view(), name="step-up"),
]
