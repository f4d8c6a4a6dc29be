import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.ledger.models import Entry
from telehealth.records.models import ClinicalResource
from tests.cast import Cast
from tests.records.bundles import bundle, observation, patient


@pytest.fixture
def file(tmp_path: Path) -> Path:
    vera = patient()
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle(vera, observation(vera))))
    return path


def run(file: Path, account: object) -> dict[str, object]:
    out = io.StringIO()
    call_command("import_bundle", str(file), **{"account": str(account)}, stdout=out)
    told: dict[str, object] = json.loads(out.getvalue())
    return told


def test_a_file_is_imported_in_somebodys_name(file: Path, cast: Cast) -> None:
    told = run(file, "nan@example.org")
    assert told["stored"] == {"Patient": 1, "Observation": 1}
    assert run(file, cast.nan.id)["unchanged"] == told["stored"]
    entry = Entry.objects.filter(act="bundle.imported").first()
    assert entry and (entry.actor_id, entry.channel, entry.reason) == (cast.nan.id, "command", "import_bundle")


@pytest.mark.parametrize("account", ["nobody@example.org", "desk@example.org", "01a1fe0d-c7b5-7f9a-b5e3-1b2c8ccabda9", ""])
def test_not_in_the_name_of_nobody_nor_of_who_may_not(account: str, file: Path, cast: Cast) -> None:
    with pytest.raises(CommandError):
        run(file, account)
    assert not ClinicalResource.objects.exists()


def test_what_is_wrong_is_said_in_one_line_without_quoting(tmp_path: Path, cast: Cast) -> None:
    bad = tmp_path / "Canary.json"
    bad.write_text('{"resourceType": "Canary"')
    with pytest.raises(CommandError, match=r"^malformed_bundle$"):
        run(bad, "nan@example.org")
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "nowhere", "nan@example.org")
