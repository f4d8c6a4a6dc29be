"""Three providers behind one interface: what they wrap opens again under its own name, and nothing else does."""

import os
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from audit.ledger import SYSTEM, unit
from telehealth.records.models import Patient
from telehealth.vault import keyring, providers
from telehealth.vault.document import Document
from telehealth.vault.errors import VaultUnavailable
from tests.vault.conftest import HOMES, Ring, forget_all, stored_keys
from tests.vault.transit import FakeTransit


def flipped(blob: bytes, at: int) -> bytes:
    return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]


def test_what_is_wrapped_opens_again(any_ring: Ring) -> None:
    secret = os.urandom(32)
    assert keyring.unwrap_secret(keyring.wrap_secret(secret, "ledger:mac"), "ledger:mac") == secret
    assert keyring.kek("one") == any_ring.keys["kek:one"]
    assert keyring.index_secret() == any_ring.keys["index:1"]


@pytest.mark.parametrize("elsewhere", HOMES[1:])
def test_a_blob_is_good_for_its_name_and_unchanged_only(elsewhere: str, request: pytest.FixtureRequest, ring: Ring) -> None:
    request.getfixturevalue(elsewhere)
    provider, secret = providers.provider(), os.urandom(32)
    blob = provider.wrap_secret(secret, "kek:one")

    assert secret not in blob
    with pytest.raises(VaultUnavailable):
        provider.unwrap_secret(blob, "kek:two")
    with pytest.raises(VaultUnavailable):
        provider.unwrap_secret(flipped(blob, len(blob) - 6), "kek:one")
    assert provider.unwrap_secret(blob, "kek:one") == secret


@pytest.mark.parametrize("elsewhere", ["aws", "transit"])
def test_the_file_of_a_keyring_that_is_wrapped_elsewhere_opens_nothing(elsewhere: str, request: pytest.FixtureRequest, ring: Ring) -> None:
    request.getfixturevalue(elsewhere)
    text = ring.path.read_bytes()
    for key in ring.keys.values():
        assert key not in stored_keys(ring)
        assert key.hex().encode() not in text


@pytest.mark.django_db
def test_records_are_sealed_and_opened_under_each_provider(any_ring: Ring) -> None:
    made = Patient(mrn=uuid4().hex, family="Quillfeather", given="Ada")
    made.save()
    forget_all()
    with unit(SYSTEM, channel="task"):
        assert Patient.objects.get(pk=made.pk).family == "Quillfeather"


@pytest.mark.django_db
def test_the_provider_is_asked_once_for_each_key_and_never_for_a_record(transit: FakeTransit) -> None:
    for _ in range(20):
        Patient(mrn=uuid4().hex, family="Quillfeather", given="Ada").save()
    with unit(SYSTEM, channel="task"):
        for patient in Patient.objects.all():
            assert patient.family
    assert transit.asked == ["decrypt", "decrypt"]  # one key-encryption key, one index root


# The local file


@pytest.mark.parametrize("mode", [0o601, 0o610, 0o620, 0o640, 0o644, 0o660, 0o604, 0o700, 0o666])
def test_a_file_wider_than_0600_is_refused(ring: Ring, mode: int, caplog: pytest.LogCaptureFixture) -> None:
    ring.path.chmod(mode)
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")
    assert "keyring_not_private" in caplog.text
    ring.path.chmod(0o600)
    assert keyring.kek("one") == ring.keys["kek:one"]


def test_a_file_that_became_wider_is_refused_by_a_process_that_has_read_it(ring: Ring) -> None:
    assert keyring.kek("one")
    ring.path.chmod(0o644)
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_the_file_of_somebody_else_is_refused(ring: Ring) -> None:
    os.chown(ring.path, 65534, 65534)
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")


def test_a_changed_file_is_read_again(ring: Ring) -> None:
    assert keyring.wrap(bytes(32))[0] == "one"
    before = ring.read()
    ring.write(Document(keks={**before.keks, "two": os.urandom(32)}, active="two", indexes=before.indexes))
    name, wrapped = keyring.wrap(bytes(32))
    assert name == "two"
    assert keyring.unwrap(name, wrapped) == bytes(32)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"kek": {}, "active": "1", "index": ""}', '{"kek": {"1": "!"}, "active": "1", "index": ""}']
)
def test_what_is_no_keyring_is_refused(ring: Ring, text: str, caplog: pytest.LogCaptureFixture) -> None:
    ring.path.write_text(text)
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")
    assert "keyring_malformed" in caplog.text


def test_a_key_of_another_length_is_refused(ring: Ring) -> None:
    ring.write(Document(keks={"one": bytes(16)}, active="one", indexes={1: bytes(32)}))
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")


def test_a_keyring_of_the_first_release_is_read(ring: Ring) -> None:
    ring.path.write_text('{"kek": {"1": "%s"}, "active": "1", "index": "%s"}' % (("A" * 43 + "=",) * 2))
    assert keyring.kek("1") == keyring.index_secret() == bytes(32)


# Elsewhere


def test_a_token_that_others_can_read_is_not_used(transit: FakeTransit, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    Path(settings.TRANSIT_TOKEN_FILE).chmod(0o644)
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")
    assert "token_unreadable" in caplog.text
    assert transit.asked == []


def test_a_renewed_token_is_used_at_once(transit: FakeTransit, settings: Settings) -> None:
    token = Path(settings.TRANSIT_TOKEN_FILE)
    right = token.read_text()
    token.write_text("hvs.expired")
    with pytest.raises(VaultUnavailable):
        providers.provider().unwrap_secret(b"vault:v1:AAAA")
    token.write_text(right)
    assert providers.provider().wrap_secret(b"x")


def test_no_secret_is_in_what_is_logged_or_raised(transit: FakeTransit, ring: Ring, caplog: pytest.LogCaptureFixture) -> None:
    blob = ring.read().keks["one"]
    with pytest.raises(VaultUnavailable) as caught:
        keyring.unwrap_secret(blob, "kek:other")
    said = caplog.text + str(caught.value) + repr(caught.value)
    assert "transit.InvalidRequest" in caplog.text
    assert blob.decode() not in said
    assert caught.value.__cause__ is None


def test_a_key_that_kms_does_not_have_opens_nothing(aws: str, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.VAULT_KMS_KEY = aws.rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
    forget_all()
    with pytest.raises(VaultUnavailable):
        keyring.kek("one")
    assert "kms.NotFoundException" in caplog.text
