"""Nobody is booked with a provider who may not practise where they will be: licences, exceptions, and days."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from audit.ledger import Act
from scheduling import services
from scheduling.errors import NotLicensed, StateUnknown
from scheduling.models import Appointment
from scheduling.selectors import licensure
from telehealth.outbox.models import Message
from telehealth.outbox.texts import render
from telehealth.records.models import License, LicenseException, Practitioner
from tests.people import Acts, ClientFor, body
from tests.scheduling.conftest import Clinic
from tests.scheduling.test_faces import wish

DAY = date(2030, 6, 15)
LONG_AGO = date(2020, 1, 1)


def test_a_provider_without_a_licence_there_is_not_booked(clinic: Clinic) -> None:
    with pytest.raises(NotLicensed):
        services.book(**clinic.wish(), state="NV")
    License.objects.create(practitioner=clinic.dr_cho, state="NV", valid_from=LONG_AGO)
    made = services.book(**clinic.wish(), state="nevada")
    assert Appointment.objects.get(pk=made.pk).patient_state == "NV"


def test_the_patient_is_where_they_live_unless_somebody_says_otherwise(clinic: Clinic) -> None:
    assert services.book(**clinic.wish()).patient_state == "MA"
    nowhere = enrol_without_address(clinic)
    with pytest.raises(StateUnknown):
        services.book(**clinic.wish(10) | {"patient_id": nowhere})
    with pytest.raises(StateUnknown):
        services.book(**clinic.wish(10), state="Narnia")
    assert services.book(**clinic.wish(10) | {"patient_id": nowhere}, state="MA").patient_state == "MA"


def enrol_without_address(clinic: Clinic) -> object:
    ned = clinic.ned_record
    ned.address = None
    ned.save(update_fields=["address"])
    return ned.pk


def test_an_overbooking_needs_the_licence_too(clinic: Clinic) -> None:
    with pytest.raises(NotLicensed):
        services.book(**clinic.wish(), state="NV", overbooking=services.Overbooking("urgent", "It cannot wait"))


@pytest.mark.parametrize(
    ("since", "until", "may"),
    [
        (DAY, DAY, True),
        (DAY - timedelta(days=9), DAY, True),
        (DAY, None, True),
        (DAY + timedelta(days=1), None, False),
        (LONG_AGO, DAY - timedelta(days=1), False),
    ],
)
@pytest.mark.parametrize("who", ["licence", "provider", "clinic"])
def test_a_licence_or_exception_counts_from_its_first_day_to_its_last(
    clinic: Clinic, since: date, until: date | None, may: bool, who: str
) -> None:
    given = {"state": "VT", "valid_from": since, "valid_to": until}
    if who == "licence":
        License.objects.create(practitioner=clinic.dr_cho, **given)
    else:
        whose = clinic.dr_cho if who == "provider" else None
        LicenseException.objects.create(practitioner=whose, basis="emergency-waiver", **given)
    assert licensure.authorised(clinic.dr_cho.pk, "VT", DAY) is may
    assert licensure.authorised(clinic.dr_dee.pk, "VT", DAY) is (may and who == "clinic")
    assert not licensure.authorised(clinic.dr_cho.pk, "NH", DAY)
    found = set(Practitioner.objects.filter(licensure.licensed_in("VT", DAY)).values_list("pk", flat=True))
    assert (clinic.dr_cho.pk in found) is may


def test_the_day_is_that_of_the_providers_clocks(clinic: Clinic) -> None:
    starts = clinic.start()
    License.objects.filter(practitioner=clinic.dr_cho).update(valid_to=starts.astimezone(ZoneInfo("America/New_York")).date())
    late = starts.astimezone(ZoneInfo("America/New_York")).replace(hour=23)
    services.book(**clinic.wish() | {"starts_at": late})  # by UTC this is the next day
    with pytest.raises(NotLicensed):
        services.book(**clinic.wish() | {"starts_at": late + timedelta(hours=2)})


def test_what_was_booked_is_asked_again_before_the_patient_is_reminded(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    assert licensure.authorised_for(made)
    License.objects.filter(practitioner=clinic.dr_cho).update(valid_to=made.starts_at.date() - timedelta(days=3))
    assert not licensure.authorised_for(Appointment.objects.get(pk=made.pk))
    LicenseException.objects.create(practitioner=None, state="MA", basis="emergency-waiver", valid_from=LONG_AGO)
    assert licensure.authorised_for(made)


def test_an_appointment_of_before_is_where_the_patient_lives(clinic: Clinic) -> None:
    made = services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    Appointment.objects.filter(pk=made.pk).update(patient_state="")
    assert licensure.authorised_for(Appointment.objects.get(pk=made.pk))
    enrol_without_address(clinic)
    assert not licensure.authorised_for(Appointment.objects.get(pk=made.pk))


@pytest.mark.parametrize(("mode", "may"), [("off", True), ("enforce", False), ("", False), ("OFF!", False)])
def test_only_the_word_off_asks_for_no_licence(clinic: Clinic, settings: Settings, mode: str, may: bool) -> None:
    settings.LICENSURE = mode
    nowhere = enrol_without_address(clinic)
    assert licensure.authorised(clinic.dr_cho.pk, "NV", DAY) is may
    if may:
        assert services.book(**clinic.wish() | {"patient_id": nowhere}).patient_state == ""
    else:
        with pytest.raises(StateUnknown):
            services.book(**clinic.wish() | {"patient_id": nowhere})


def test_by_rest_the_state_may_be_said(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    refused = app.post("/api/v1/appointments/", wish(clinic, state="NV"))
    assert (refused.status_code, body(refused)["code"]) == (409, "not_licensed")
    unknown = app.post("/api/v1/appointments/", wish(clinic, state="Narnia"))
    assert (unknown.status_code, body(unknown)["code"]) == (400, "patient_state_unknown")
    made = app.post("/api/v1/appointments/", wish(clinic, state="Massachusetts"))
    assert (made.status_code, body(made)["patient_state"]) == (201, "MA")


def test_the_desk_and_the_provider_hear_once_that_an_appointment_may_not_be_kept(clinic: Clinic, acts: Acts) -> None:
    made = services.book(**clinic.wish())
    assert [services.warn_unlicensed(appointment_id=made.pk) for _ in range(2)] == [True, False]
    told = Message.objects.filter(kind="appointment_unlicensed", object_id=made.pk)
    assert sorted(told.values_list("person_id", flat=True)) == sorted([clinic.desk.id, clinic.cho.id])
    assert acts()[-1] == Act.APPOINTMENT_UNLICENSED
    assert render("appointment_unlicensed", made.pk).text.strip().endswith(f"/desk/patients/{clinic.pia_record.pk}/")
