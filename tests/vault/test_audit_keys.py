"""The ledger's MAC and signing keys: in files that nobody else may read, or wrapped by each provider."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, EntryNotWritten, record, unit
from audit.ledger import keys as ledger_keys
from audit.ledger.errors import KeyUnavailable
from audit.ledger.models import Entry
from config import home as homes
from config.run import _processes
from tests.vault.conftest import Ring, forget_all
from tests.vault.transit import FakeTransit

TEXT = b"an entry"


@pytest.fixture
def originals(tmp_path: Path, settings: Settings) -> Iterator[tuple[bytes, Ed25519PrivateKey]]:
    """A MAC key and a signing key of this test's own, in files of mode 0600."""
    mac, signing = os.urandom(32), Ed25519PrivateKey.generate()
    contents = {
        "mac.key": base64.b64encode(mac),
        "signing.key": signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    settings.AUDIT_MAC_KEY_FILE, settings.AUDIT_SIGNING_KEY_FILE = str(tmp_path / "mac.key"), str(tmp_path / "signing.key")
    forget_ledger_keys()
    yield mac, signing
    forget_ledger_keys()


def forget_ledger_keys() -> None:
    ledger_keys._mac.cache_clear()
    ledger_keys.signer.cache_clear()


def wrap(settings: Settings, tmp_path: Path) -> None:
    call_command("wrap_audit_keys", str(tmp_path / "mac.key"), str(tmp_path / "signing.key"))
    settings.AUDIT_MAC, settings.AUDIT_SIGNER = "telehealth.vault.audit_keys.VaultMac", "telehealth.vault.audit_keys.VaultSigner"
    settings.AUDIT_MAC_KEY_FILE = str(tmp_path / "mac.key.wrapped")
    settings.AUDIT_SIGNING_KEY_FILE = str(tmp_path / "signing.key.wrapped")
    forget_ledger_keys()
    forget_all()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o606, 0o700, 0o644])
@pytest.mark.parametrize("name", ["mac.key", "signing.key"])
def test_a_key_file_wider_than_0600_is_refused(originals: tuple[bytes, Ed25519PrivateKey], tmp_path: Path, mode: int, name: str) -> None:
    (tmp_path / name).chmod(mode)
    with pytest.raises(ledger_keys.NotPrivate, match="0600"):
        ledger_keys.mac(TEXT) if name == "mac.key" else ledger_keys.signer()


def test_narrower_is_as_good(originals: tuple[bytes, Ed25519PrivateKey], tmp_path: Path) -> None:
    (tmp_path / "mac.key").chmod(0o400)
    assert len(ledger_keys.mac(TEXT)) == 32


def test_only_the_sealer_is_given_the_signing_key(tmp_path: Path) -> None:
    settings = {"AUDIT_SIGNING_KEY_FILE": "there", "AUDIT_MAC_KEY_FILE": "here", "PHARMACY_NETWORK_URL": "http://127.0.0.1:9"}
    processes = _processes(homes.Home(tmp_path), settings, 8000)
    given = {name for name, process in processes.items() if process.env["AUDIT_SIGNING_KEY_FILE"]}
    assert given == {"sealer"}
    assert "web" in processes


def test_a_process_without_the_signing_key_signs_nothing(settings: Settings, originals: tuple[bytes, Ed25519PrivateKey]) -> None:
    settings.AUDIT_SIGNING_KEY_FILE = ""
    with pytest.raises(ImproperlyConfigured, match="AUDIT_SIGNING_KEY"):
        ledger_keys.signer()


def test_wrapped_keys_do_what_the_local_ones_did(
    any_ring: Ring, originals: tuple[bytes, Ed25519PrivateKey], settings: Settings, tmp_path: Path
) -> None:
    _, signing = originals
    before, public = ledger_keys.mac(TEXT), ledger_keys.signer().public_key()
    wrap(settings, tmp_path)
    (tmp_path / "mac.key").unlink()
    (tmp_path / "signing.key").unlink()

    assert ledger_keys.mac(TEXT) == before
    assert ledger_keys.signer().public_key() == public == signing.public_key().public_bytes_raw()
    Ed25519PublicKey.from_public_bytes(public).verify(ledger_keys.signer().sign(TEXT), TEXT)


@pytest.mark.parametrize("elsewhere", ["aws", "transit"])
def test_the_files_of_wrapped_keys_hold_no_key(
    elsewhere: str, request: pytest.FixtureRequest, originals: tuple[bytes, Ed25519PrivateKey], settings: Settings, tmp_path: Path
) -> None:
    request.getfixturevalue(elsewhere)
    mac, signing = originals
    wrap(settings, tmp_path)
    for path in tmp_path.glob("*.wrapped"):
        assert path.stat().st_mode & 0o777 == 0o600
        blob = base64.b64decode(path.read_bytes())
        assert mac not in blob
        assert signing.private_bytes_raw() not in blob
        assert b"PRIVATE KEY" not in blob


def test_one_key_cannot_stand_in_for_the_other(
    transit: FakeTransit, originals: tuple[bytes, Ed25519PrivateKey], settings: Settings, tmp_path: Path
) -> None:
    wrap(settings, tmp_path)
    settings.AUDIT_MAC_KEY_FILE = settings.AUDIT_SIGNING_KEY_FILE
    with pytest.raises(KeyUnavailable):
        ledger_keys.mac(TEXT)


@pytest.mark.django_db
def test_without_the_mac_key_nothing_is_recorded_and_nothing_leaves(
    transit: FakeTransit, originals: tuple[bytes, Ed25519PrivateKey], settings: Settings, tmp_path: Path
) -> None:
    wrap(settings, tmp_path)
    transit.sealed = True
    before = Entry.objects.count()
    with pytest.raises(EntryNotWritten), unit(SYSTEM, channel="task"):
        record(SYSTEM, Act.OBJECT_ACCESSED)
    assert Entry.objects.count() == before


@pytest.mark.django_db
def test_a_key_in_memory_goes_on_while_the_provider_is_down(
    transit: FakeTransit, originals: tuple[bytes, Ed25519PrivateKey], settings: Settings, tmp_path: Path
) -> None:
    wrap(settings, tmp_path)
    assert ledger_keys.mac(TEXT)
    transit.sealed = True
    with unit(SYSTEM, channel="task"):
        record(SYSTEM, Act.OBJECT_ACCESSED)
    assert Entry.objects.filter(act=Act.OBJECT_ACCESSED).exists()
