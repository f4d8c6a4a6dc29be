"""The main job: one whole visit over a running clinic, through its public interfaces."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from config.env import BASE_DIR
from tests.live import Live, free_port
from tests.rehearsal.traces import clear_control, found_in, identifying

SAMPLE = BASE_DIR / "telehealth" / "rehearsal" / "visit" / "sample.json"
PATIENTS = sorted((BASE_DIR.parent / "shared" / "data" / "synthea").glob("*_*.json"))


def rehearse(live: Live, *options: str) -> dict[str, Any]:
    done = live.manage("rehearse", "--json", *options, timeout=300)
    said: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"failed": done.stderr}
    assert (said.get("failed"), done.returncode) == (None, 0)
    return said


@pytest.fixture(scope="module")
def visit(live: Live) -> dict[str, Any]:
    """What the rehearsal of one visit said. Once for all: codes are good for one act each, and have to be waited for."""
    return rehearse(live)


def test_a_whole_visit(visit: dict[str, Any]) -> None:
    assert [step["name"] for step in visit["steps"]][-3:] == [
        "patient reads the summary",
        "patient sees who opened the record",
        "log sealed and verified",
    ]
    assert visit["audit"]["ok"] is True


def test_it_leaves_no_trace_of_who_the_patient_is(live: Live, visit: dict[str, Any]) -> None:
    control, needles = clear_control(SAMPLE), identifying(SAMPLE)

    assert len(needles) > 6
    assert found_in(live, {control, *needles}) == {control}


def test_a_deceased_patient_is_imported_and_refused_a_visit(live: Live, tmp_path: Path) -> None:
    text = SAMPLE.read_text()
    for entry in json.loads(text)["entry"]:  # somebody else, all of whose resources are new
        text = text.replace(entry["resource"]["id"], str(uuid4()))
    bundle = json.loads(text)
    bundle["entry"][0]["resource"]["deceasedDateTime"] = "2025-11-02T04:10:00-05:00"
    bundle["entry"][0]["resource"]["identifier"][0]["value"] = "REH-000418"
    (tmp_path / "late.json").write_text(json.dumps(bundle))

    said = rehearse(live, "--bundle", str(tmp_path / "late.json"))

    assert said["deceased"] is True
    assert {"name": "the visit of a deceased patient is refused", "note": "patient_deceased"}.items() <= said["steps"][-2].items()


def test_a_patient_who_was_here_before_comes_again(live: Live, visit: dict[str, Any]) -> None:
    again = rehearse(live)

    assert (visit["patient"], again["created"]) == (again["patient"], False)
    assert again["audit"]["ok"] is True


def test_a_failure_is_told_and_not_green(live: Live) -> None:
    nobody = f"http://localhost:{free_port()}"
    done = live.manage("rehearse", "--url", nobody, "--credentials", str(live.home.demo))

    assert done.returncode == 1
    assert "rehearse: nurse signs in: the server does not answer" in done.stderr


def test_a_bundle_that_is_none_is_told_in_one_line(live: Live) -> None:
    done = live.manage("rehearse", "--bundle", "nowhere.json")

    assert (done.returncode, done.stderr) == (1, "CommandError: nowhere.json: No such file or directory\n")


@pytest.mark.storm
@pytest.mark.parametrize("bundle", PATIENTS, ids=lambda path: path.name.split("_")[0])
@pytest.mark.parametrize("time", ["first", "again"])
def test_every_sample_patient_twice(live: Live, time: str, bundle: Path) -> None:
    said = rehearse(live, "--bundle", str(bundle))

    assert said["created"] is (time == "first")


@pytest.mark.storm
def test_all_of_them_leave_no_trace(live: Live) -> None:
    """After the rehearsals above."""
    control = clear_control(PATIENTS[0])
    needles = {needle for bundle in PATIENTS for needle in identifying(bundle)}
    assert found_in(live, {control, *needles}) == {control}
    assert live.manage("verify_audit").returncode == 0
