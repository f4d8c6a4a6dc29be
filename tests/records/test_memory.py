"""The command takes bundles of any size in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from django.db import connection

from telehealth.records.models import ClinicalResource, Patient
from tests.cast import Cast
from tests.records.bundles import ROOT, observation, patient

MB = 1_000_000


def written(path: Path, size: int) -> int:
    """Write a bundle of about that size; the number of its observations."""
    vera, count = patient(), 0
    with path.open("w") as file:
        file.write('{"resourceType":"Bundle","type":"transaction","entry":[' + json.dumps(vera))
        while file.tell() < size:
            note = [{"text": f"{count} and nothing of note. " * 30}]
            component = [{"code": {"text": "part"}, "valueQuantity": {"value": number, "unit": "mm"}} for number in range(10)]
            file.write("," + json.dumps(observation(vera, note=note, component=component)))
            count += 1
        file.write("]}")
    return count


def measured(path: Path) -> dict[str, float]:
    address, name = urlsplit(os.environ["DATABASE_URL"]), connection.settings_dict["NAME"]
    environment = os.environ | {"DATABASE_URL": address._replace(path=f"/{quote(name)}").geturl()}
    command = [sys.executable, "-m", "tests.records.measured", str(path), "nan@example.org"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, float] = json.loads(done.stdout)
    return told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("size", "allowed"),
    [(10 * MB, 30 * MB), pytest.param(50 * MB, 100 * MB, marks=pytest.mark.storm)],
    ids=["10 MB", "50 MB"],
)
def test_memory_does_not_grow_with_the_bodies(size: int, allowed: int, cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    count = written(path, size)
    cost = measured(path)

    assert cost["kb"] * 1000 < allowed, cost
    assert ClinicalResource.objects.filter(patient=Patient.objects.latest("id")).count() == count
