"""Consents on pages: patients give and withdraw, guardians what guardians decide, the desk records what was signed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from telehealth.records.labels import Category
from telehealth.records.models import Consent
from telehealth.records.services import give_consent
from tests.cast import Cast
from tests.people import ClientFor


def path(cast: Cast) -> str:
    return f"/patients/{cast.pia_record.pk}/consents/"


def given(cast: Cast, category: Category = Category.HIV) -> Consent:
    told = {"recipient": {"kind": "practitioner", "practitioner": cast.cho.pk}, "text_version": "1"}
    return give_consent(patient_id=cast.pia_record.pk, category=category, **told, by=cast.pia)


def test_a_patient_sees_gives_and_withdraws(cast: Cast, client_for: ClientFor) -> None:
    pia, held = client_for(cast.pia), given(cast)
    page = pia.get("/sharing/").content.decode()
    assert path(cast) in page and str(cast.ned_record.pk) not in page
    listed = pia.get(path(cast)).content.decode()
    assert listed.count("Withdraw<") == 1 and cast.cho.name in listed
    day = timezone.localdate() + timedelta(days=3)
    shared = pia.form(path(cast), category="SUD", recipient="role nurse", ends_on=day.isoformat(), agreed="on").content.decode()
    assert "Recorded." in shared and shared.count("Withdraw<") == 2
    made = Consent.objects.exclude(pk=held.pk).get()
    assert (made.recipient, made.role, made.category, made.text_version, made.given_by) == ("role", "nurse", "SUD", "1", cast.pia.id)
    assert made.ends_at is not None and timedelta(days=3) < made.ends_at - timezone.now() < timedelta(days=5)
    left = pia.form(f"{path(cast)}{held.pk}/withdraw/").content.decode()
    held.refresh_from_db()
    assert held.withdrawn_at is not None and left.count("Withdraw<") == 1 and "over since" in left


def test_what_is_not_meant_or_not_fresh_is_not_given(cast: Cast, client_for: ClientFor) -> None:
    asked = {"category": "SUD", "recipient": "care_team"}
    assert "Recorded." not in client_for(cast.pia).form(path(cast), **asked).content.decode()
    past = client_for(cast.pia).form(path(cast), **asked, agreed="on", ends_on="2001-01-01")
    tired = client_for(cast.pia, factor_at=timezone.now() - timedelta(minutes=6)).form(path(cast), **asked, agreed="on")
    assert (past.status_code, tired.status_code) == (400, 302) and "step-up" in tired["Location"]
    assert not Consent.objects.exists()


def test_a_guardian_neither_sees_nor_offers_what_only_the_patient_decides(cast: Cast, client_for: ClientFor) -> None:
    own = given(cast, Category.PSYCHOTHERAPY)
    gus = client_for(cast.gus)
    page = gus.get(path(cast)).content.decode()
    assert "Psychotherapy" not in page and str(own.pk) not in page and "HIV" in page
    tried = gus.form(path(cast), category="PSYTHPN", recipient="care_team", agreed="on").content.decode()
    assert "Recorded." not in tried and gus.form(f"{path(cast)}{own.pk}/withdraw/").status_code == 404
    assert Consent.objects.filter(withdrawn_at=None).count() == 1


def test_the_desk_records_what_was_signed_and_is_shown_nothing(cast: Cast, client_for: ClientFor) -> None:
    held, desk = given(cast), client_for(cast.desk)
    assert path(cast) in desk.get(f"/desk/patients/{cast.pia_record.pk}/").content.decode()
    page = desk.get(path(cast)).content.decode()
    assert "signature" in page and str(held.pk) not in page and "Withdraw<" not in page
    assert "Recorded." in desk.form(path(cast), category="SUD", recipient="care_team", agreed="on").content.decode()
    assert desk.form(f"{path(cast)}{held.pk}/withdraw/").status_code == 404
    assert Consent.objects.get(given_by=cast.desk.id).category == "SUD"


def test_a_consent_is_withdrawn_on_its_own_patients_page_alone(cast: Cast, client_for: ClientFor) -> None:
    held = given(cast)
    for who, record in ((cast.pia, cast.ned_record), (cast.ned, cast.ned_record), (cast.ned, cast.pia_record)):
        assert client_for(who).form(f"/patients/{record.pk}/consents/{held.pk}/withdraw/").status_code == 404
    held.refresh_from_db()
    assert held.withdrawn_at is None


@pytest.mark.parametrize("who", ["dr_cho", "nan", "biller", "admin", "privacy", "ned"])
def test_nobody_else_has_such_a_page(cast: Cast, client_for: ClientFor, who: str) -> None:
    assert client_for(getattr(cast, who)).get(path(cast)).status_code == 404
