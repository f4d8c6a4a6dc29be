"""What is signed is sealed anew when its record gets another key, by the owner and in that door alone; the signatures still hold."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction

from consults.models import Note
from consults.services import notes
from consults.signed import is_intact
from prescribing import content
from prescribing.models import Prescription, ScriptMessage
from telehealth.vault import record_keys
from tests.conftest import AsOwner
from tests.consults.stage import TEXT
from tests.prescribing.ward import Ward, outgoing_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
SIGNED = {"prescribing_prescription": "content", "prescribing_scriptmessage": "body", "consults_note": "body"}
DOOR = "SELECT set_config('vault.reseal', %s, false)"


@pytest.fixture
def signed(ward: Ward) -> Iterator[Prescription]:
    draft = notes.draft(visit_id=ward.visit.pk, parts=TEXT, by=ward.cast.dr_cho)
    notes.sign(note_id=draft.pk, by=ward.cast.dr_cho)
    yield ward.signed()
    connections["owner"].close()


def rows() -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"(SELECT array_agg({column}::text) FROM {table})" for table, column in SIGNED.items()))
        return list(cursor.fetchall())


def test_signatures_hold_after_a_rekey(signed: Prescription, ward: Ward) -> None:
    before = rows()
    call_command("rekey_record", str(ward.cast.pia_record.pk))
    record_keys.cache.clear()
    assert all(old != new for old, new in zip(before[0], rows()[0], strict=True))  # type: ignore[call-overload]
    assert content.faults(Prescription.objects.get(pk=signed.pk)) == []
    assert is_intact(Note.objects.get()) is True
    assert "NewRx" in outgoing_of(signed).body


@pytest.mark.parametrize("table", SIGNED)
def test_the_runtime_role_does_not_get_through_the_owner_s_door(signed: Prescription, ward: Ward, table: str) -> None:
    """As the runtime role, which may set any name of its own: `vault.reseal` names the right record, and it is not the owner."""
    record, before = str(ward.cast.pia_record.pk), rows()
    for column in (SIGNED[table], "digest"):
        with pytest.raises(DatabaseError, match=r"stays|does not change"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(DOOR, [record])
            cursor.execute(f"UPDATE {table} SET {column} = '\\x0102'")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET ROLE tele_owner")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION public.vault_owner_reseals(oid, uuid, jsonb, jsonb, VARIADIC text[]) "
            "RETURNS boolean LANGUAGE sql AS 'SELECT true'"
        )
    assert rows() == before


@pytest.mark.parametrize("table", SIGNED)
def test_the_owner_s_door_is_for_one_record_and_for_ciphertext_alone(
    signed: Prescription, ward: Ward, as_owner: AsOwner, table: str
) -> None:
    column, before = SIGNED[table], rows()
    with pytest.raises(Exception, match=r"stays|does not change"):
        as_owner(f"UPDATE {table} SET {column} = '\\x0102'")
    as_owner(DOOR, str(ward.cast.ned_record.pk))
    with pytest.raises(Exception, match=r"stays|does not change"):
        as_owner(f"UPDATE {table} SET {column} = '\\x0102'")
    as_owner(DOOR, str(ward.cast.pia_record.pk))
    clear = "signed_at = now()" if table != "prescribing_scriptmessage" else "kind = 'Other'"
    with pytest.raises(Exception, match=r"stays|does not change"):
        as_owner(f"UPDATE {table} SET {clear}")
    with pytest.raises(Exception, match=r"stays|does not change"):
        as_owner(f"DELETE FROM {table}")
    assert rows() == before
    assert ScriptMessage.objects.count() == 1
