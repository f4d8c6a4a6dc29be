"""The prescriptions of a visit, by the page."""

from django.utils.timezone import now

from audit.ledger import Act
from consults.models import Visit
from consults.states import Encounter, Waiting
from prescribing.machine import Status
from prescribing.models import Prescription
from tests.people import Acts, ClientFor
from tests.prescribing.ward import ORDER, Ward, status_of

ENTERED = {**ORDER, "substitution": "on"}


def address(ward: Ward) -> str:
    return f"/visits/{ward.visit.pk}/prescriptions/"


def test_an_order_is_prepared_and_its_faults_are_told_at_the_field(ward: Ward, client_for: ClientFor) -> None:
    cho = client_for(ward.cast.dr_cho)

    wrong = cho.form(address(ward), **{**ENTERED, "quantity": "9000"}).content.decode()
    assert 'aria-invalid="true"' in wrong and "does not fit the order" in wrong
    assert not Prescription.objects.exists()

    right = cho.form(address(ward), **ENTERED).content.decode()
    assert "to be signed" in right and "one-time-code" in right
    assert Prescription.objects.get().status == Status.DRAFT


def test_no_medication_is_chosen_beforehand(ward: Ward, client_for: ClientFor) -> None:
    cho = client_for(ward.cast.dr_cho)

    assert cho.get(address(ward)).content.decode().count('<option value="" selected>') == 2  # medication, pharmacy
    cho.form(address(ward), **{**ENTERED, "medication": ""})
    assert not Prescription.objects.exists()


def test_a_used_code_signs_nothing_and_the_page_says_when_the_next_is_good(ward: Ward, client_for: ClientFor) -> None:
    cho, draft, code = client_for(ward.cast.dr_cho), ward.draft(), ward.code()
    sign = f"/prescriptions/{draft.pk}/sign/"

    assert "on its way" in cho.form(sign, code=code).content.decode()
    another = ward.draft()
    again = cho.form(f"/prescriptions/{another.pk}/sign/", code=code).content.decode()

    assert "data-next-code-at" in again and "used already" in again
    assert (status_of(draft.pk), status_of(another.pk)) == (Status.QUEUED, Status.DRAFT)


def test_nobody_else_signs_or_sees_the_draft(ward: Ward, client_for: ClientFor) -> None:
    draft = ward.draft()

    for other in (ward.cast.dr_dee, ward.cast.nan, ward.cast.pia, ward.cast.desk):
        assert client_for(other).form(f"/prescriptions/{draft.pk}/sign/", code=ward.code()).status_code == 404
        assert client_for(other).get(f"/prescriptions/{draft.pk}/status/").status_code == 404
    assert status_of(draft.pk) == Status.DRAFT


def test_asking_how_far_it_got_opens_no_record(ward: Ward, client_for: ClientFor, acts: Acts) -> None:
    signed = ward.signed()
    before = acts(openings=True).count(Act.RECORD_OPENED)

    reply = client_for(ward.cast.dr_cho).get(f"/prescriptions/{signed.pk}/status/").content.decode()

    assert 'data-rx-status="queued"' in reply and "hx-get" in reply
    assert acts(openings=True).count(Act.RECORD_OPENED) == before


def test_the_page_does_not_ask_for_ever(ward: Ward, client_for: ClientFor) -> None:
    address = f"/prescriptions/{ward.signed().pk}/status/?asked="
    cho = client_for(ward.cast.dr_cho)

    assert "asked=90" in cho.get(f"{address}89").content.decode()
    for asked in ("90", "999", "-1", "x", "99999999999"):
        assert "hx-get" not in cho.get(address + asked).content.decode()


def test_a_visit_that_is_over_offers_no_new_prescription(ward: Ward, client_for: ClientFor) -> None:
    cho = client_for(ward.cast.dr_cho)
    assert "New prescription" in cho.get(address(ward)).content.decode()
    Visit.objects.filter(pk=ward.visit.pk).update(status=Encounter.FINISHED, waiting=Waiting.LEFT, started_at=now(), ended_at=now())

    over = cho.get(address(ward)).content.decode()

    assert "New prescription" not in over and "Nothing was prescribed." in over
