"""An app of somebody else's that people may let act for them: a public client with PKCE."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.people import Browser, body

REDIRECT = "https://app.example/callback"


class App:
    """A public client with PKCE."""

    def __init__(self, client_id: str = "an-app") -> None:
        self.client_id = client_id
        self.verifier = secrets.token_urlsafe(48)

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def ask(self, **other: str | None) -> dict[str, str]:
        wanted = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "patient offline_access",
            "state": "a-state",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **other,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def consent(self, browser: Browser, **other: str | None) -> Any:
        return browser.form("/oauth/authorize/", **self.ask(**other), allow="true")

    def code(self, browser: Browser) -> str:
        return parse_qs(urlsplit(self.consent(browser)["Location"]).query)["code"][0]

    def trade(self, code: str, **other: str) -> Any:
        given = {"grant_type": "authorization_code", "client_id": self.client_id, "code": code, "redirect_uri": REDIRECT}
        return Browser().form("/oauth/token/", **{**given, "code_verifier": self.verifier, **other})

    def refresh(self, token: str, **other: str) -> Any:
        given = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token}
        return Browser().form("/oauth/token/", **{**given, **other})

    def tokens(self, browser: Browser) -> dict[str, Any]:
        reply = self.trade(self.code(browser))
        assert reply.status_code == 200, reply.content
        return body(reply)


def me(token: str) -> int:
    return Browser().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"}).status_code
