"""What else is sealed, besides records: seeds, DEA numbers, secrets shared with others. And what is a hash alone."""

import io
import json
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from audit.ledger import SYSTEM, NoContext, flush, unit, uuid7
from audit.ledger.models import Entry
from consults import ice
from prescribing import signature
from telehealth.accounts.models import TOTPDevice
from telehealth.core import now
from telehealth.outbox import channels
from telehealth.records.models import DeaNumber, Practitioner
from telehealth.records.services import import_bundle
from telehealth.vault import integrations, record_keys
from telehealth.vault.models import IntegrationSecret
from tests.cast import Cast
from tests.people import MakeAccount
from tests.records.bundles import bundle, entry, patient, stream

pytestmark = pytest.mark.django_db
DEA = "BC7654321"
NADEAN = "XC7654321"
SECRET = "a-secret-that-the-network-knows"


def everything(table: str) -> str:
    """The rows of a table as a dump has them; bytes in hexadecimal, which what is looked for must not be in either."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(string_agg(to_jsonb(t)::text, ' '), '') FROM {table} t")
        return str(cursor.fetchone()[0])


def absent(secret: str, *tables: str) -> None:
    for table in tables:
        text = everything(table)
        assert text
        assert secret not in text
        assert secret.encode().hex() not in text


# DEA numbers


def practitioner(*identifiers: dict[str, Any], **values: Any) -> dict[str, Any]:
    return entry("Practitioner", name=[{"family": "Prescott", "given": ["Ida"]}], identifier=list(identifiers), **values)


DEA_IDENTIFIER = {"system": "http://terminology.hl7.org/NamingSystem/usDEANumber", "value": DEA}
BY_OID = {"system": "urn:oid:2.16.840.1.113883.4.814", "value": DEA}
BY_TYPE = {"system": "https://clinic.example/numbers", "value": DEA, "type": {"coding": [{"code": "DEA"}]}}
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1992779896"}


@pytest.mark.parametrize("identifier", [DEA_IDENTIFIER, BY_OID, BY_TYPE], ids=["naming-system", "oid", "type"])
@pytest.mark.parametrize("beside", [[], [NPI]], ids=["alone", "beside-npi"])
def test_an_imported_dea_number_is_sealed_and_nowhere_in_the_clear(cast: Cast, identifier: dict[str, Any], beside: list[Any]) -> None:
    who = practitioner(identifier, *beside)
    import_bundle(source=stream(bundle(patient(), who)), by=cast.nan)

    row = Practitioner.objects.get(family="Prescott")
    absent(DEA, "records_practitioner", "records_deanumber", "audit_entry")
    with unit(SYSTEM, channel="task"):
        assert DeaNumber.objects.get(holder_id=row.pk).number == DEA


def test_numbers_of_qualifications_go_too_and_of_several_the_first_is_kept(cast: Cast) -> None:
    licence = {"identifier": [{**BY_OID, "value": NADEAN}, {"system": "urn:ma", "value": "LIC-1"}], "code": {"text": "MD"}}
    import_bundle(source=stream(bundle(patient(), practitioner(DEA_IDENTIFIER, NPI, qualification=[licence]))), by=cast.nan)
    for number in (DEA, NADEAN):
        absent(number, "records_practitioner", "records_deanumber")
    assert "LIC-1" in everything("records_practitioner")
    with unit(SYSTEM, channel="task"):
        assert [row.number for row in DeaNumber.objects.all()] == [DEA]


def test_the_same_again_is_unchanged_and_another_number_is_noticed(cast: Cast) -> None:
    who = practitioner(DEA_IDENTIFIER)

    def brought(identifier: dict[str, Any]) -> Practitioner:
        who["resource"]["identifier"] = [identifier]
        import_bundle(source=stream(bundle(patient(), who)), by=cast.nan)
        return Practitioner.objects.get(family="Prescott")

    first = brought(DEA_IDENTIFIER)
    mark = first.source_digest
    assert brought(DEA_IDENTIFIER).source_digest == mark
    assert DeaNumber.objects.count() == 1
    changed = brought({**DEA_IDENTIFIER, "value": NADEAN})
    assert changed.pk == first.pk
    assert changed.source_digest != mark
    with unit(SYSTEM, channel="task"):
        assert DeaNumber.objects.get(holder_id=first.pk).number == NADEAN


# Secrets shared with others


def taken_in(monkeypatch: pytest.MonkeyPatch, name: str, secret: str) -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(secret + "\n"))
    said = io.StringIO()
    call_command("seal_secret", name, stdout=said)
    return said.getvalue()


def test_an_integration_secret_is_sealed_and_used(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    since = uuid7()
    assert "sealed:pharmacy_network" in taken_in(monkeypatch, "pharmacy_network", SECRET)

    absent(SECRET, "vault_integrationsecret", "audit_entry")
    flush()
    (act,) = Entry.objects.filter(id__gt=since, act="integration.sealed")
    assert json.loads(act.detail) == {"name": "pharmacy_network"}
    record_keys.cache.clear()
    with unit(SYSTEM, channel="task"):
        assert integrations.reveal("sealed:pharmacy_network") == SECRET
        assert integrations.reveal("as-it-is") == "as-it-is"
    with pytest.raises(NoContext):
        integrations.reveal("sealed:pharmacy_network")


def test_the_pharmacy_network_is_heard_under_the_sealed_secret(monkeypatch: pytest.MonkeyPatch, settings: Settings, client: Any) -> None:
    taken_in(monkeypatch, "pharmacy_network", SECRET)
    settings.PHARMACY_NETWORK_SECRET = "sealed:pharmacy_network"
    body = b"<no script/>"

    def sent(secret: str) -> int:
        header = signature.sign(secret, body, int(now().timestamp()))
        reply = client.post("/inbound/script/", body, content_type="application/xml", secure=True, headers={signature.HEADER: header})
        return int(reply.status_code)

    assert sent(SECRET) == 400, "signed, and no SCRIPT message"
    assert sent("sealed:pharmacy_network") == 401
    assert sent("another") == 401


def test_turn_credentials_are_made_from_the_sealed_secret(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    taken_in(monkeypatch, "turn", SECRET)
    settings.STUN_URLS, settings.TURN_URLS, settings.TURN_SECRET = [], ["turns:t.example:443"], "sealed:turn"
    with unit(SYSTEM, channel="task"):
        (server,) = ice.ice_servers()
    assert server.username
    expires, opaque = server.username.split(":")
    assert server == ice.turn_server(["turns:t.example:443"], SECRET, int(expires), opaque)


def test_mail_goes_out_under_the_sealed_password(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    taken_in(monkeypatch, "mail", SECRET)
    settings.EMAIL_BACKEND, settings.EMAIL_HOST_PASSWORD = "django.core.mail.backends.smtp.EmailBackend", "sealed:mail"
    with unit(SYSTEM, channel="task"):
        assert channels.post_office().password == SECRET


def test_a_new_secret_takes_the_place_of_the_old(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_in(monkeypatch, "turn", SECRET)
    taken_in(monkeypatch, "turn", "second")
    with unit(SYSTEM, channel="task"):
        assert integrations.reveal("sealed:turn") == "second"
    assert IntegrationSecret.objects.count() == 1


@pytest.mark.parametrize(("name", "secret"), [("with space", SECRET), ("x" * 61, SECRET), ("turn", "  ")])
def test_what_is_no_name_or_no_secret_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, secret: str) -> None:
    with pytest.raises(CommandError):
        taken_in(monkeypatch, name, secret)


def test_a_setting_that_stands_for_nothing_is_an_error_not_a_secret() -> None:
    with unit(SYSTEM, channel="task"), pytest.raises(ImproperlyConfigured):
        integrations.reveal("sealed:unheard_of")


# Seeds


def test_the_seed_of_an_authenticator_is_sealed(make_account: MakeAccount) -> None:
    nurse = make_account("nurse")
    absent(nurse.seed, "accounts_totpdevice", "audit_entry")
    with unit(SYSTEM, channel="task"):
        assert TOTPDevice.objects.get(user_id=nurse.id).seed == nurse.seed
