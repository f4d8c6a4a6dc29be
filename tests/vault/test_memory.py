"""Unwrapped keys in process memory: bounded in number, five minutes at most, whether anybody asks again or not."""

import multiprocessing
import time
from multiprocessing.connection import Connection
from threading import Event

import pytest
from pytest_django import Settings

from telehealth.vault import keyring, record_keys
from telehealth.vault.errors import VaultUnavailable
from telehealth.vault.kept import KEEP_SECONDS, Kept
from tests.vault.conftest import Ring
from tests.vault.transit import FakeTransit

CACHES = (record_keys.cache, keyring._documents, keyring._secrets, keyring._derived)


def test_every_cache_of_keys_is_bounded_in_number_and_time() -> None:
    assert KEEP_SECONDS <= 300
    assert all(cache.seconds <= 300 and cache.at_most <= 10_000 for cache in CACHES)


def test_the_least_recently_used_goes_first() -> None:
    kept: Kept[int, str] = Kept(at_most=2)
    kept.put(1, "one")
    kept.put(2, "two")
    assert kept.get(1) == "one"
    kept.put(3, "three")
    assert (kept.get(1), kept.get(2), kept.get(3), len(kept)) == ("one", None, "three", 2)


class Key:
    """Something whose end can be awaited."""

    def __init__(self, gone: Event) -> None:
        self.gone = gone

    def __del__(self) -> None:
        self.gone.set()


def test_a_key_is_forgotten_in_time_though_nobody_asks() -> None:
    gone = Event()
    kept: Kept[int, Key] = Kept(at_most=9, seconds=0.1)
    kept.put(1, Key(gone))
    assert gone.wait(5)
    assert len(kept) == 0


def test_use_does_not_lengthen_its_life() -> None:
    kept: Kept[int, str] = Kept(at_most=9, seconds=0.2)
    kept.put(1, "one")
    until = time.monotonic() + 5
    while kept.get(1) is not None:
        assert time.monotonic() < until


def _what_a_child_has(answer: Connection) -> None:
    answer.send([len(cache) for cache in CACHES])
    keyring.kek("one")
    answer.send([len(cache) for cache in CACHES])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # to fork is what is tested
def test_a_forked_worker_begins_with_no_key_and_gets_its_own(transit: FakeTransit, ring: Ring) -> None:
    assert keyring.kek("one")
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_what_a_child_has, args=(there,))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert here.recv() == [0, 0, 0, 0]
    assert here.recv() == [0, 1, 1, 0]
    assert transit.asked == ["decrypt", "decrypt"]


def test_keys_that_are_kept_go_on_while_the_file_is_gone(ring: Ring) -> None:
    name, wrapped = keyring.wrap(bytes(32))
    content = ring.path.read_bytes()
    ring.path.unlink()
    assert keyring.unwrap(name, wrapped) == bytes(32)
    keyring.forget()  # five minutes later
    with pytest.raises(VaultUnavailable):
        keyring.unwrap(name, wrapped)
    ring.path.write_bytes(content)
    ring.path.chmod(0o600)
    assert keyring.unwrap(name, wrapped) == bytes(32)


def test_the_document_dies_with_its_time_too(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "_documents", Kept(at_most=1, seconds=0.1))
    monkeypatch.setattr(keyring, "_secrets", Kept(at_most=64, seconds=0.1))
    assert keyring.kek("one")
    ring.path.unlink()
    until = time.monotonic() + 5
    with pytest.raises(VaultUnavailable):
        while time.monotonic() < until:
            keyring.kek("one")


def test_after_a_failure_the_provider_is_left_alone_for_a_moment(transit: FakeTransit, monkeypatch: pytest.MonkeyPatch) -> None:
    transit.sealed = True
    with pytest.raises(VaultUnavailable) as first:
        keyring.kek("one")
    assert first.value.facts["why"] == "transit VaultDown"
    transit.sealed = False
    with pytest.raises(VaultUnavailable) as second:
        keyring.kek("one")
    assert second.value.facts["why"] == "resting"
    monkeypatch.setattr(keyring._line, "resting_until", 0.0)
    assert keyring.kek("one")


def test_a_provider_out_of_reach_is_given_up_within_seconds(transit: FakeTransit, settings: Settings) -> None:
    settings.TRANSIT_ADDR = "http://127.0.0.1:9"
    began = time.monotonic()
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")
    assert time.monotonic() - began < 5
