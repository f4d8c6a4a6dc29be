"""Where the pages, the OAuth endpoints and the REST faces of this app live."""

from django.urls import path

from telehealth.accounts import api as faces
from telehealth.accounts import oauth
from telehealth.accounts import portal as pages

portal = [
    path("sign-in/", pages.SignIn.as_view(), name="sign-in"),
    path("sign-in/factor/", pages.Factor.as_view(), name="factor"),
    path("step-up/", pages.StepUp.as_view(), name="step-up-page"),
    path("sign-out/", pages.SignOut.as_view(), name="sign-out"),
    path("factors/totp/", pages.EnrolTOTP.as_view(), name="enrol-totp"),
    path("invitation/<str:token>/", pages.AcceptInvitation.as_view(), name="invitation"),
    path("welcome/", pages.Welcome.as_view(), name="welcome"),
    path("oauth/authorize/", oauth.Authorize.as_view(), name="oauth-authorize"),
    path("oauth/token/", oauth.Token.as_view(), name="oauth-token"),
    path("oauth/revoke/", oauth.Revoke.as_view(), name="oauth-revoke"),
    path("oauth/introspect/", oauth.Introspect.as_view(), name="oauth-introspect"),
    path(".well-known/oauth-authorization-server", oauth.Metadata.as_view(), name="oauth-metadata"),
]

api = [
    path("me/", faces.Me.as_view(), name="me"),
    path("step-up/", faces.StepUp.as_view(), name="step-up"),
]
