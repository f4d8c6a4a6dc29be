"""A key-encryption key is changed beside traffic: nothing is lost, nothing is unreadable meanwhile, an interruption is no harm."""

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from audit.ledger import SYSTEM, unit, uuid7
from audit.ledger.models import Entry
from telehealth.core.progress import Bar
from telehealth.records.models import Patient
from telehealth.vault import keyring, record_keys, rotation
from telehealth.vault.errors import VaultUnavailable
from telehealth.vault.fields import ACCOUNTS
from telehealth.vault.models import RecordKey
from tests.people import MakeAccount
from tests.vault.conftest import Ring, forget_all
from tests.vault.transit import FakeTransit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def since() -> UUID:
    """Entries of earlier tests stay: nobody may delete them."""
    return uuid7()


def records(count: int) -> list[UUID]:
    """So many patients, each with a key."""
    made = [Patient(mrn=uuid4().hex, family=f"Quill-{number}", given="Ada") for number in range(count)]
    for patient in made:
        patient.save()
    return [patient.pk for patient in made]


def families(ids: list[UUID]) -> list[str]:
    record_keys.cache.clear()
    with unit(SYSTEM, channel="task"):
        found = {patient.pk: patient.family for patient in Patient.objects.filter(pk__in=ids)}
    return [found[each] for each in ids]


def under() -> set[str]:
    return set(RecordKey.objects.values_list("kek_id", flat=True))


def command(name: str, *args: Any) -> str:
    lines: list[str] = []

    class Lines:
        def write(self, text: str) -> None:
            lines.append(text)

    call_command(name, *args, stdout=Lines())
    return "".join(lines)


def new_kek() -> str:
    return command("new_kek").split()[0]


def test_every_key_is_wrapped_anew_and_the_old_key_is_retired(ring: Ring, make_account: MakeAccount, since: UUID) -> None:
    ids = records(7)
    make_account("nurse")
    assert RecordKey.objects.filter(pk=ACCOUNTS).exists()
    new = new_kek()
    assert under() == {"one"}, "a key that was only made wraps nothing yet"
    before = dict(RecordKey.objects.values_list("pk", "wrapped"))

    said = command("rotate_kek", "--batch", "3")

    assert under() == {new}
    assert "8 keys wrapped anew" in said
    assert families(ids) == [f"Quill-{number}" for number in range(7)]
    document = ring.read()
    assert (document.active, set(document.retired), set(document.keks)) == (new, {"one"}, {"one", new})
    for key in RecordKey.objects.all():
        assert bytes(key.wrapped) != bytes(before[key.pk])
        with pytest.raises(InvalidUnwrap):
            aes_key_unwrap(ring.keys["kek:one"], bytes(key.wrapped))
    acts = Entry.objects.filter(id__gt=since, act__startswith="kek.").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["kek.created", "kek.activated", "kek.retired"]
    retired = json.loads(Entry.objects.get(id__gt=since, act="kek.retired").detail)
    assert retired == {"active": new, "kek": ["one"], "rewrapped": 8}


def test_no_sealed_value_is_touched(ring: Ring) -> None:
    records(3)
    rows = "SELECT md5(string_agg(to_jsonb(p)::text, '' ORDER BY id)) FROM records_patient p"
    with connection.cursor() as cursor:
        before = cursor.execute(rows).fetchone()
        new_kek()
        command("rotate_kek")
        assert cursor.execute(rows).fetchone() == before


def test_a_second_run_has_nothing_to_do(ring: Ring, since: UUID) -> None:
    records(2)
    new_kek()
    command("rotate_kek")
    document = ring.read()
    assert command("rotate_kek").startswith("0 keys wrapped anew")
    assert ring.read() == document
    assert Entry.objects.filter(id__gt=since, act="kek.retired").count() == 1


def test_an_interrupted_run_is_taken_up_where_it_stopped(ring: Ring) -> None:
    ids = records(9)
    new = new_kek()
    active = _activated()
    first = rotation.rewrap(active, 2)
    assert [next(first), next(first)] == [2, 2]
    first.close()  # as by kill -9 between two transactions
    assert RecordKey.objects.filter(kek_id=new).count() == 4
    assert families(ids) == [f"Quill-{number}" for number in range(9)], "half-way everything opens"
    assert "one" not in ring.read().retired

    assert command("rotate_kek").startswith("5 keys wrapped anew")
    assert under() == {new}
    assert families(ids) == [f"Quill-{number}" for number in range(9)]


def _activated() -> str:
    with unit(SYSTEM, channel="task"):
        return rotation.activate(by=SYSTEM)


def test_traffic_goes_on_and_nothing_is_lost(ring: Ring) -> None:
    ids = records(40)
    stop, wrong, made = threading.Event(), list[BaseException](), list[UUID]()

    def work(number: int) -> None:
        try:
            while not stop.is_set():
                if number % 2:
                    fresh = Patient(mrn=uuid4().hex, family="Late", given="Ada")
                    fresh.save()
                    made.append(fresh.pk)
                else:
                    assert families(ids[::4])
        except BaseException as error:  # noqa: BLE001 - whatever goes wrong in a thread is shown by the test
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            new = new_kek()
            command("rotate_kek", "--batch", "7")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert under() == {new}
    assert families(ids) == [f"Quill-{number}" for number in range(40)]
    assert made
    assert set(families(made)) == {"Late"}


def test_a_key_made_by_somebody_who_had_not_heard_is_found_again(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine's file was old: what it wrapped under the retired key opens, and the next run takes it along."""
    (before,) = records(1)
    new = new_kek()
    command("rotate_kek")
    with monkeypatch.context() as patch:
        patch.setattr(keyring, "wrap", lambda key: ("one", keyring.aes_key_wrap(keyring.kek("one"), key)))
        (late,) = records(1)
    assert under() == {"one", new}
    assert families([before, late]) == ["Quill-0", "Quill-0"]
    _long_ago(ring)
    said = command("rotate_kek", "--drop")
    assert said.startswith("1 keys wrapped anew")
    assert "dropped: one" in said
    assert families([before, late]) == ["Quill-0", "Quill-0"]


def _long_ago(ring: Ring, minutes: int = 11) -> None:
    text = json.loads(ring.path.read_text())
    at = timezone.now() - timedelta(minutes=minutes)
    text["retired"] = {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name in text["retired"]}
    ring.path.write_text(json.dumps(text))


def test_a_retired_key_is_dropped_when_every_process_has_read_the_file_anew(ring: Ring, since: UUID) -> None:
    ids = records(2)
    new = new_kek()
    assert "dropped: none yet" in command("rotate_kek", "--drop")
    assert "one" in ring.read().keks
    _long_ago(ring, minutes=9)
    assert "dropped: none yet" in command("rotate_kek", "--drop")
    _long_ago(ring)
    assert "dropped: one" in command("rotate_kek", "--drop")
    assert set(ring.read().keks) == {new}
    forget_all()
    assert families(ids) == ["Quill-0", "Quill-1"]
    assert Entry.objects.filter(id__gt=since, act="kek.dropped").count() == 1
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")


def test_nothing_is_retired_while_anything_is_under_it(ring: Ring) -> None:
    records(1)
    new_kek()
    with unit(SYSTEM, channel="task"), pytest.raises(rotation.StillInUse):
        rotation.retire(rotation.activate(by=SYSTEM), 0, by=SYSTEM)
    assert ring.read().retired == {}


def test_a_key_that_does_not_open_is_not_put_to_use(transit: FakeTransit, ring: Ring) -> None:
    new_kek()
    forget_all()
    transit.sealed = True
    with pytest.raises(CommandError, match="vault_unavailable"):
        command("rotate_kek")
    assert ring.read().active == "one"


def test_rotation_under_each_provider(any_ring: Ring) -> None:
    ids = records(3)
    new = new_kek()
    command("rotate_kek")
    forget_all()
    assert under() == {new}
    assert families(ids) == ["Quill-0", "Quill-1", "Quill-2"]
    assert any_ring.path.stat().st_mode & 0o777 == 0o600


# Beginning and moving


def test_the_first_keyring_is_made_once_and_never_over_what_is_sealed(ring: Ring, make_account: MakeAccount) -> None:
    with pytest.raises(CommandError):
        command("new_kek", "--first")
    content = ring.path.read_bytes()
    ring.path.unlink()
    forget_all()
    command("new_kek", "--first")
    assert keyring.wrap(bytes(32))[0] == ring.read().active
    ring.path.unlink()
    ring.path.write_bytes(content)
    ring.path.chmod(0o600)
    records(1)
    ring.path.unlink()
    with pytest.raises(CommandError, match="put it back"):
        command("new_kek", "--first")


def test_a_local_keyring_moves_elsewhere_and_its_keys_leave_the_file(
    ring: Ring, tmp_path: Path, settings: Settings, request: pytest.FixtureRequest
) -> None:
    ids, keys, old = records(2), dict(ring.keys), ring.path.read_bytes()
    request.getfixturevalue("transit")  # its own keyring is laid down: put the one back that sealed the records
    settings.VAULT_PROVIDER = "local"
    ring.path.write_bytes(old)
    forget_all()
    command("move_keyring", "transit", str(tmp_path / "moved.json"))
    settings.VAULT_PROVIDER, settings.VAULT_KEYRING_FILE = "transit", str(tmp_path / "moved.json")
    forget_all()

    assert families(ids) == ["Quill-0", "Quill-1"]
    moved = Ring(tmp_path / "moved.json").read()
    assert not set(keys.values()) & {*moved.keks.values(), *moved.indexes.values()}
    assert keyring.kek("one") == keys["kek:one"]
    with pytest.raises(CommandError, match="exists"):
        command("move_keyring", "transit", str(tmp_path / "moved.json"))


# The inventory, and the bar


def test_the_inventory_names_every_key_and_shows_none(ring: Ring, make_account: MakeAccount) -> None:
    records(4)
    new = new_kek()
    command("rotate_kek")
    waiting = new_kek()
    said = command("list_keys", "--json")
    found = {key["name"]: key for key in map(json.loads, said.splitlines())}

    assert found[f"kek:{new}"]["state"] == "active"
    assert found[f"kek:{new}"]["under"] == 4
    assert found[f"kek:{waiting}"]["state"] == "waiting"
    assert found["kek:one"]["state"].startswith("retired ")
    assert found["vault.RecordKey"]["under"] == 4
    assert found["AUDIT_MAC_KEY"]["held"] == "file 0600"
    shown = said + command("list_keys")
    for secret in json.loads(ring.path.read_text())["kek"].values():
        assert secret not in shown


def test_the_inventory_names_what_is_missing(ring: Ring) -> None:
    records(1)
    RecordKey.objects.update(kek_id="lost")
    assert "MISSING" in command("list_keys")


def test_the_bar_is_drawn_on_a_terminal_alone() -> None:
    class Screen:
        def __init__(self, terminal: bool) -> None:
            self.terminal, self.text = terminal, ""

        def isatty(self) -> bool:
            return self.terminal

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            pass

    terminal, pipe = Screen(True), Screen(False)
    for screen in (terminal, pipe):
        bar = Bar(4, "record keys", screen)  # type: ignore[arg-type]
        bar.add(2)
        bar.close()
    assert terminal.text == f"\rrecord keys [{'#' * 15}{'.' * 15}] 2/4\n"
    assert pipe.text == ""
