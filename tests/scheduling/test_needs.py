"""What a visit takes beside provider and patient: interpreters by language, rooms."""

from collections import Counter
from functools import partial
from uuid import UUID

import pytest

from audit.ledger import SYSTEM, Act, flush
from audit.ledger.models import Entry
from scheduling import services
from scheduling.errors import PatientBusy, ResourceOdd, ResourceTaken, SlotTaken
from scheduling.models import Appointment, BookableResource, Occupancy
from telehealth.core import now
from telehealth.core.errors import Refused
from telehealth.records.models import Patient
from tests.people import ClientFor, MakeAccount, body
from tests.scheduling.conftest import Clinic
from tests.scheduling.test_no_double_booking import at_once, overlaps

RESOURCES = "/api/v1/bookable-resources/"


def needs(clinic: Clinic, *which: str) -> None:
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes={"needs": list(which)}, by=SYSTEM)


def room(name: str = "Room") -> BookableResource:
    return services.define_resource(kind="room", name=name, by=SYSTEM)


def interpreter(*languages: str) -> BookableResource:
    return services.define_resource(kind="interpreter", name="Somebody", languages=list(languages), by=SYSTEM)


def speaks(patient: Patient, language: str) -> None:
    patient.language = language
    patient.save(update_fields=["language"])


def taken_by(appointment: Appointment) -> dict[str, UUID]:
    return dict(appointment.occupancies.filter(live=True).values_list("kind", "party"))


def neds(clinic: Clinic, minutes: int = 0) -> dict[str, object]:
    return clinic.wish(minutes) | {"patient_id": clinic.ned_record.pk, "practitioner_id": clinic.dr_dee.pk}


def test_a_room_is_taken_with_the_visit_and_given_back_with_it(clinic: Clinic) -> None:
    needs(clinic, "room")
    first, second = room(), room()
    pias, neds_ = services.book(**clinic.wish()), services.book(**neds(clinic))
    assert (taken_by(pias)["room"], taken_by(neds_)["room"]) == (first.pk, second.pk)
    third = Patient.objects.create(mrn="T-1", family="Third", address={"state": "MA"})
    with pytest.raises(SlotTaken):  # what is wrong with the time itself is said first
        services.book(**clinic.wish() | {"patient_id": third.pk})
    with pytest.raises(PatientBusy):
        services.book(**clinic.wish() | {"practitioner_id": clinic.dr_dee.pk})
    services.cancel(appointment_id=neds_.pk, reason="pat", by=clinic.desk.by)
    again = services.book(**neds(clinic))
    assert taken_by(again)["room"] == second.pk


def test_where_none_is_free_nothing_is_booked(clinic: Clinic) -> None:
    needs(clinic, "room")
    with pytest.raises(ResourceTaken):
        services.book(**clinic.wish())
    room()
    services.book(**clinic.wish())
    with pytest.raises(ResourceTaken):
        services.book(**neds(clinic))
    assert Appointment.objects.count() == 1


def test_an_interpreter_speaks_the_patients_language(clinic: Clinic) -> None:
    needs(clinic, "interpreter", "room")
    room(), room()
    interpreter("vi")
    spanish = interpreter("pt", "es")
    speaks(clinic.pia_record, "es-MX")
    made = services.book(**clinic.wish())
    assert taken_by(made)["interpreter"] == spanish.pk
    speaks(clinic.ned_record, "es")
    with pytest.raises(ResourceTaken):
        services.book(**neds(clinic))
    speaks(clinic.ned_record, "")
    services.book(**neds(clinic))


def test_the_language_is_opened_only_where_it_matters(clinic: Clinic) -> None:
    def opened() -> int:
        flush()
        return Entry.objects.filter(record_id=clinic.pia_record.pk, act=Act.RECORD_OPENED, detail__contains="language").count()

    services.book(**clinic.wish())
    assert opened() == 0
    needs(clinic, "interpreter")
    interpreter("es")
    services.book(**clinic.wish(10))
    assert opened() == 1


def test_what_is_out_of_use_is_chosen_no_more_and_stays_with_what_is_booked(clinic: Clinic) -> None:
    needs(clinic, "room")
    only = room()
    made = services.book(**clinic.wish())
    services.change_resource(resource_id=only.pk, changes={"is_active": False}, by=SYSTEM)
    with pytest.raises(ResourceTaken):
        services.book(**clinic.wish(10))
    assert taken_by(made)["room"] == only.pk


def test_a_move_takes_a_room_at_the_new_time(clinic: Clinic) -> None:
    needs(clinic, "room")
    only = room()
    made, other = services.book(**clinic.wish()), services.book(**neds(clinic, 10))
    with pytest.raises(ResourceTaken):
        services.reschedule(appointment_id=made.pk, starts_at=clinic.start(10), by=clinic.desk.by)
    services.reschedule(appointment_id=made.pk, starts_at=clinic.start(20), by=clinic.desk.by)
    assert {taken_by(made)["room"], taken_by(other)["room"]} == {only.pk}
    assert overlaps() == 0


def test_a_hold_holds_the_room_too(clinic: Clinic) -> None:
    needs(clinic, "room")
    room()
    held = services.hold(**clinic.wish(), until=now().replace(year=now().year + 1))
    with pytest.raises(ResourceTaken):
        services.book(**neds(clinic))
    Occupancy.objects.filter(appointment=held).update(held_until=now())
    services.book(**neds(clinic))
    assert Appointment.objects.get(pk=held.pk).status == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_many_who_want_the_last_rooms_neither_deadlock_nor_share_one(clinic: Clinic) -> None:
    needs(clinic, "room")
    room(), room()
    doctors = (clinic.dr_cho.pk, clinic.dr_dee.pk)
    crowd = [Patient.objects.create(mrn=f"R-{n}", family="Crowd", address={"state": "MA"}).pk for n in range(8)]
    wish = clinic.wish()
    wishes = [partial(services.book, **wish | {"patient_id": pk, "practitioner_id": doctors[n % 2]}) for n, pk in enumerate(crowd)]
    outcomes = Counter(at_once(wishes))
    assert outcomes == {"ok": 2, "slot_taken": 6}
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes={"needs": ["room"]}, by=SYSTEM)
    assert (overlaps(), Occupancy.objects.filter(kind="room", live=True).count()) == (0, 2)


@pytest.mark.parametrize("odd", [{"kind": "room", "languages": ["es"]}, {"kind": "interpreter"}, {"kind": "room", "name": " "}])
def test_what_cannot_be_is_refused(clinic: Clinic, odd: dict[str, object]) -> None:
    with pytest.raises(ResourceOdd):
        services.define_resource(**{"name": "X", "by": SYSTEM, **odd})


def test_an_account_is_one_interpreters(clinic: Clinic) -> None:
    services.define_resource(kind="interpreter", name="A", languages=["es"], account_id=clinic.cho.id, by=SYSTEM)
    with pytest.raises(ResourceOdd):
        services.define_resource(kind="interpreter", name="B", languages=["es"], account_id=clinic.cho.id, by=SYSTEM)


def test_by_rest_administrators_define_them_and_the_desk_looks(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount) -> None:
    office, desk = client_for(make_account("administrator")), client_for(clinic.desk)
    made = office.post(RESOURCES, {"kind": "interpreter", "name": "Ana", "languages": ["es"]})
    assert made.status_code == 201
    path = f"{RESOURCES}{body(made)['id']}/"
    changed = office.patch(path, {"languages": ["es", "pt"], "is_active": False})
    assert (body(changed)["languages"], body(changed)["is_active"]) == (["es", "pt"], False)
    assert body(desk.get(RESOURCES))["results"] == [body(changed)]
    assert (desk.post(RESOURCES, {"kind": "room", "name": "1"}).status_code, desk.patch(path, {"name": "x"}).status_code) == (404, 404)
    assert client_for(clinic.pia).get(RESOURCES).status_code == 404
    odd = office.patch(path, {"languages": []})
    assert (odd.status_code, body(odd)["code"]) == (400, "resource_odd")
    with pytest.raises(Refused):
        services.change_resource(resource_id=UUID(body(made)["id"]), changes={}, by=clinic.desk.by)


def test_what_is_offered_has_an_interpreter_for_the_patient(clinic: Clinic, client_for: ClientFor) -> None:
    needs(clinic, "interpreter")
    interpreter("vi")
    app, asked = client_for(clinic.pia), {"visit_type": "video-10", "from": clinic.start().isoformat(), "to": clinic.start(20).isoformat()}

    def offered() -> int:
        return len(body(app.get("/api/v1/slots/", asked))["results"])

    speaks(clinic.pia_record, "es")
    assert offered() == 0
    interpreter("es")
    assert offered() == 4
    speaks(clinic.ned_record, "es")
    services.book(**neds(clinic))
    assert offered() == 2  # of both providers, the interpreter being with Ned


def test_administrators_use_the_admin(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount) -> None:
    there, page = client_for(make_account("administrator")), "/admin/scheduling/bookableresource/"
    assert there.form(f"{page}add/", kind="interpreter", name="Ana", languages="es,pt").status_code == 302
    made = BookableResource.objects.get()
    assert (made.languages, made.is_active) == (["es", "pt"], True)
    assert there.form(f"{page}{made.pk}/change/", name="Ana", languages="").status_code == 200  # the form again, with the reason
    assert there.form(f"{page}{made.pk}/change/", name="Ana", languages="es").status_code == 302
    made.refresh_from_db()
    assert (made.languages, made.is_active) == (["es"], False)
    assert client_for(clinic.desk).get(page).status_code in (302, 403)
