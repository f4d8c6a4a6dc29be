"""The keyring in its three homes: a local file, AWS KMS (moto's server), and a transit engine."""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import hvac
import pytest
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from telehealth.vault import keyring, providers, record_keys
from telehealth.vault.document import Document
from tests.vault.transit import TOKEN, FakeTransit, fake_transit


@dataclass
class Ring:
    """A keyring of this test's own: its file, and the keys that are in it."""

    path: Path
    keys: dict[str, bytes] = field(default_factory=dict)

    def lay_down(self) -> None:
        """One key-encryption key and one index root, wrapped by the provider that the settings name."""
        provider = providers.provider()
        self.keys = {"kek:one": os.urandom(32), "index:1": os.urandom(32)}
        kek, index = (provider.wrap_secret(key, name) for name, key in self.keys.items())
        self.write(Document(keks={"one": kek}, active="one", indexes={1: index}))

    def write(self, document: Document, mode: int = 0o600) -> None:
        self.path.write_bytes(document.text())
        self.path.chmod(mode)

    def read(self) -> Document:
        return Document.parse(self.path.read_bytes())


def forget_all() -> None:
    """As in a process that has just begun."""
    keyring.forget()
    record_keys.cache.clear()


@pytest.fixture
def ring(settings: Settings, tmp_path: Path) -> Iterator[Ring]:
    """A local keyring; other fixtures turn it into one that is wrapped elsewhere."""
    path = tmp_path / "keyring.json"
    settings.VAULT_PROVIDER, settings.VAULT_KEYRING_FILE = "local", str(path)
    forget_all()
    made = Ring(path)
    made.lay_down()
    yield made
    forget_all()


@pytest.fixture
def transit(settings: Settings, ring: Ring, tmp_path: Path) -> Iterator[FakeTransit]:
    """The keyring wrapped by a stand-in for Vault's transit engine."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with fake_transit() as server:
        settings.VAULT_PROVIDER, settings.TRANSIT_ADDR, settings.TRANSIT_TOKEN_FILE = "transit", server.address, str(token)
        forget_all()
        ring.lay_down()
        server.asked.clear()
        yield server


@pytest.fixture(scope="session")
def moto_kms() -> Iterator[str]:
    """The address of an AWS of our own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(settings: Settings, ring: Ring, moto_kms: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The keyring wrapped by AWS KMS; the key's ARN."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("kms", endpoint_url=moto_kms)
    arn: str = client.create_key()["KeyMetadata"]["Arn"]
    client.close()
    settings.VAULT_PROVIDER, settings.VAULT_KMS_KEY, settings.VAULT_KMS_ENDPOINT = "aws", arn, moto_kms
    forget_all()
    ring.lay_down()
    return arn


@pytest.fixture
def real_transit(settings: Settings, ring: Ring, tmp_path: Path) -> str:
    """A transit engine that the operator of this machine offers: VAULT_ADDR and VAULT_TOKEN."""
    address, given = os.environ["VAULT_ADDR"], os.environ["VAULT_TOKEN"]
    token = tmp_path / "token"
    token.write_text(given)
    token.chmod(0o600)
    client = hvac.Client(url=address, token=given)
    if "transit/" not in client.sys.list_mounted_secrets_engines()["data"]:
        client.sys.enable_secrets_engine("transit")
    client.secrets.transit.create_key(name="telehealth-tests")
    settings.VAULT_PROVIDER, settings.TRANSIT_ADDR, settings.TRANSIT_TOKEN_FILE = "transit", address, str(token)
    settings.TRANSIT_KEY = "telehealth-tests"
    forget_all()
    ring.lay_down()
    return address


HOMES = ["local", "aws", "transit", *["real_transit"] * {"VAULT_ADDR", "VAULT_TOKEN"}.issubset(os.environ)]


@pytest.fixture(params=HOMES)
def any_ring(request: pytest.FixtureRequest, ring: Ring) -> Ring:
    """The keyring in each of its homes."""
    if request.param != "local":
        request.getfixturevalue(request.param)
    return ring


def stored_keys(ring: Ring) -> list[bytes]:
    """Everything that the file holds as a key."""
    content = json.loads(ring.path.read_text())
    return [base64.b64decode(blob) for blob in [*content["kek"].values(), *content["index"].values()]]
