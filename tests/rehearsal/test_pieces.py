"""The rehearsal's own pieces: codes, forms, timings. What it plays is tested by playing it."""

import json
from pathlib import Path

import pytest

from telehealth.rehearsal.visit import totp
from telehealth.rehearsal.visit.clinic import NoClinic, find
from telehealth.rehearsal.visit.pages import Page
from telehealth.rehearsal.visit.stage import Stage, Stopped, table
from telehealth.rehearsal.visit.web import Client, Failed

RFC_6238_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")])
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert totp.code(RFC_6238_SECRET, at) == code


def test_a_form_is_sent_as_a_browser_would_send_it() -> None:
    page = Page("""
        <form action="/elsewhere/"><input name="q"></form>
        <p data-totp-secret>ABC <b>DEF</b></p><time data-next-code-at="2026-01-01T00:00:00Z">soon</time>
        <form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="x"><input name="code">
        <input type="checkbox" name="trust" value="1"><button name="allow">Allow</button></form>""")

    form = page.form_with("code", "allow")
    assert form is not None
    assert (form.method, form.fields) == ("post", {"csrfmiddlewaretoken": "x", "code": "", "trust": ""})
    assert page.form_with("password") is None
    assert page.marks == {"data-totp-secret": "ABC DEF", "data-next-code-at": "2026-01-01T00:00:00Z"}


async def test_the_first_failure_ends_the_play_and_names_its_step() -> None:
    stage = Stage(None)
    async with stage.step("first") as note:
        note.text = "3 things"
    with pytest.raises(Stopped, match="second: no such luck"):
        async with stage.step("second"):
            raise Failed("no such luck")

    assert [step.name for step in stage.steps] == ["first"]
    assert "3 things" in table(stage.steps) and "second" not in table(stage.steps)


async def test_a_client_follows_nobody_to_another_host() -> None:
    async with Client("http://localhost:8000") as client:
        assert client.local("/sign-in/") == "http://localhost:8000/sign-in/"
        for address in ("http://elsewhere.example/", "//elsewhere.example/", "http://localhost:8001/"):
            with pytest.raises(Failed):
                client.local(address)


def test_without_a_running_clinic_it_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(NoClinic, match="make run"):
        find(tmp_path, "", "")
    (tmp_path / "run.json").write_text(json.dumps({"url": "http://localhost:1"}))
    with pytest.raises(NoClinic, match=r"demo\.json"):
        find(tmp_path, "", "")
    (tmp_path / "demo.json").write_text(json.dumps({"sign_ins": [{"role": "nurse"}]}))

    assert find(tmp_path, "", "").home == tmp_path
    assert find(tmp_path, "https://clinic.example/", "").home is None
