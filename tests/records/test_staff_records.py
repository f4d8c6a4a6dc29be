"""That one of the staff is a patient too: the desk and the privacy officer say so, and the table does not tell."""

import pytest
from django.db import connection

from audit.ledger import Act
from audit.ledger.models import Entry
from telehealth.accounts.access import Role
from telehealth.core.errors import Missing
from telehealth.records.errors import NotStaff
from telehealth.records.models import StaffRecord
from telehealth.records.services import link_staff, unlink_staff
from tests.cast import Cast, id_of
from tests.people import Acts, ClientFor, MakeAccount

pytestmark = pytest.mark.django_db


def test_linked_once_and_ended_once(cast: Cast, acts: Acts) -> None:
    links = [link_staff(patient_id=cast.pia_record.pk, account_id=id_of(cast.nan), by=by) for by in (cast.desk, cast.privacy)]
    assert links[0].pk == links[1].pk
    for _ in range(2):
        unlink_staff(staff_record_id=links[0].pk, by=cast.desk)
    again = link_staff(patient_id=cast.pia_record.pk, account_id=id_of(cast.nan), by=cast.desk)
    assert again.pk != links[0].pk
    assert [act for act in acts() if act.startswith("staff_record")] == ["staff_record.linked", "staff_record.ended", "staff_record.linked"]


def test_neither_table_nor_log_tells_who_of_the_staff_is_a_patient(cast: Cast) -> None:
    made = link_staff(patient_id=cast.pia_record.pk, account_id=id_of(cast.nan), by=cast.desk)
    assert StaffRecord.objects.get(pk=made.pk).account == str(cast.nan.id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(s)::text FROM records_staffrecord s")
        text = str(cursor.fetchall())
    entry = Entry.objects.filter(act=Act.STAFF_RECORD_LINKED).latest("id")
    for each in (text, entry.detail, entry.object_pk, entry.reason):
        assert str(cast.nan.id) not in each and str(cast.nan.id).encode().hex() not in each


@pytest.mark.parametrize("who", ["pia", "gus", "dr_cho", "nan", "biller", "admin"])
def test_nobody_else_links_or_ends(cast: Cast, who: str) -> None:
    made = link_staff(patient_id=cast.pia_record.pk, account_id=id_of(cast.nan), by=cast.desk)
    with pytest.raises(Missing):
        link_staff(patient_id=cast.ned_record.pk, account_id=id_of(cast.nan), by=getattr(cast, who))
    with pytest.raises(Missing):
        unlink_staff(staff_record_id=made.pk, by=getattr(cast, who))


def test_a_patients_account_is_none_of_the_staffs(cast: Cast) -> None:
    for account in (cast.ned, cast.gus):
        with pytest.raises(NotStaff):
            link_staff(patient_id=cast.pia_record.pk, account_id=id_of(account), by=cast.desk)


def test_by_rest(cast: Cast, make_account: MakeAccount, client_for: ClientFor) -> None:
    desk, nurse = client_for(make_account(Role.FRONT_DESK)), make_account(Role.NURSE)
    address = f"/api/v1/patients/{cast.pia_record.pk}/staff-records/"
    made = desk.post(address, {"account": str(nurse.id)})
    assert (made.status_code, made.json()["account"]) == (201, str(nurse.id))
    assert [each["id"] for each in desk.get(address).json()["results"]] == [made.json()["id"]]
    assert desk.delete(f"/api/v1/staff-records/{made.json()['id']}/").json()["ended_at"] is not None
    assert desk.post(address, {"account": str(make_account(Role.PATIENT).id)}).json()["code"] == "not_staff"
    assert client_for(nurse).get(address).status_code == 404


def test_at_the_desk(cast: Cast, make_account: MakeAccount, client_for: ClientFor) -> None:
    desk, nurse = client_for(make_account(Role.FRONT_DESK)), make_account(Role.NURSE, name="Nurse Norris")
    address = f"/desk/patients/{cast.pia_record.pk}/staff/"
    assert address in desk.get(f"/desk/patients/{cast.pia_record.pk}/").content.decode()
    assert "Nurse Norris" in desk.get(address).content.decode()
    assert "No longer" in desk.form(address, account=str(nurse.id)).content.decode()
    link = StaffRecord.objects.get(ended_at=None)
    assert link.account == str(nurse.id)
    assert "No longer" not in desk.form(address, ended=str(link.pk)).content.decode()
    desk.form(address, account=str(make_account(Role.PATIENT).id))
    assert not StaffRecord.objects.filter(ended_at=None).exists()
    assert client_for(make_account(Role.BILLER)).get(address).status_code == 404
