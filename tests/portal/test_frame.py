"""The portal's frame: error pages that need nothing, the policy, our own files."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from telehealth.core.errors import Conflict, DomainError, Invalid, Missing, Refused, Unproven
from telehealth.portal.errors import answer
from telehealth.portal.pages import Page


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 503])
def test_an_error_page_needs_no_request_session_or_database(status: int) -> None:
    page = render_to_string(f"{status}.html")

    assert f">{status}<" in page and "<h1>" in page
    assert "<script" not in page


def test_the_policy_lets_only_marked_scripts_run(client: Client) -> None:
    policy = client.get("/nowhere/", secure=True)["Content-Security-Policy"]

    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "style-src 'self'" in policy
    assert "unsafe" not in policy and "'strict-dynamic'" in policy
    assert "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize("name", ["tokens.css", "call.js", "vendor/htmx-2.0.11.min.js"])
def test_our_own_files_are_served(client: Client, name: str) -> None:
    reply = client.get(f"/static/portal/{name}", secure=True)

    assert reply.status_code == 200
    assert reply["Cache-Control"] == "no-cache"
    assert b"".join(reply)


@pytest.mark.parametrize(("error", "status"), [(Invalid(), 400), (Missing(), 404), (Refused(), 404), (Conflict(), 409), (Unproven(), 403)])
def test_a_no_becomes_a_page_or_a_sentence_for_the_alert_region(rf: RequestFactory, error: DomainError, status: int) -> None:
    page = answer(rf.get("/"), error, {error.code: "A word of ours."})
    fragment = answer(rf.get("/", headers={"HX-Request": "true"}), error, {})

    assert page.status_code == fragment.status_code == status
    assert b"A word of ours." in page.content and b"<html" in page.content
    assert b"<html" not in fragment.content and fragment["HX-Retarget"] == "#alerts"


def test_a_page_without_access_does_not_start() -> None:
    with pytest.raises(ImproperlyConfigured):
        type("Forgotten", (Page,), {"get": lambda self, request: self.show()})
