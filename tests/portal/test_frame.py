"""The portal's frame: error pages that need nothing, the policy, our own files."""

import pytest
from django.template.loader import render_to_string
from django.test import Client


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
    reply.close()
