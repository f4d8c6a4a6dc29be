"""Eighteen: from the clinic's midnight on the query knows no guardian of a minor, whatever the sweep has done; corrections are followed."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from pytest_django import Settings

from audit.ledger import ANONYMOUS, Act, flush, uuid7
from audit.ledger.models import Entry
from telehealth.accounts.access import Role
from telehealth.accounts.models import Invitation, User
from telehealth.accounts.selectors import token_of
from telehealth.accounts.services import accept
from telehealth.core import now
from telehealth.records import services
from telehealth.records.access.delegation import NEEDS, delegated
from telehealth.records.ages import day_of
from telehealth.records.models import Patient, ProxyGrant
from tests.cast import Cast, at_next_request, make_actor, make_patient
from tests.people import Browser, ClientFor
from tests.records.bundles import bundle, patient, stream

US_SAMOA, KIRITIMATI = "Pacific/Pago_Pago", "Pacific/Kiritimati"


def aged(years: int, days_to_go: int = 0) -> str:
    """The birth date of who is that old today, or in some days, by the clinic's calendar."""
    day = day_of() + timedelta(days=days_to_go)
    return date(day.year - years, day.month, min(day.day, 28)).isoformat()


def guarded(cast: Cast, birth_date: str | None) -> tuple[Patient, ProxyGrant]:
    child = make_patient("Canary", "Cody", birth_date=birth_date)
    return child, services.grant_proxy(patient_id=child.pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)


def corrected(child: Patient, birth_date: str) -> None:
    child.birth_date = birth_date
    child.save()


def sees(browser: Browser, child: Patient) -> set[int]:
    paths = ("", "resources/", "accesses/", "proxies/", "consents/")
    return {browser.get(f"/api/v1/patients/{child.pk}/{path}").status_code for path in paths}


@pytest.mark.parametrize("zone", ["America/New_York", US_SAMOA, KIRITIMATI])
def test_the_query_ends_it_at_the_clinics_midnight(cast: Cast, settings: Settings, zone: str) -> None:
    settings.CLINIC_TIME_ZONE = zone
    child, grant = guarded(cast, "2009-05-14")
    ProxyGrant.objects.filter(pk=grant.pk).update(starts_at=datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC")))
    midnight = datetime(2027, 5, 14, tzinfo=ZoneInfo(zone))
    for resource in NEEDS:
        before, at = (set(delegated(cast.gus.account, resource, each)) for each in (midnight - timedelta(microseconds=1), midnight))
        assert (child.pk in before, child.pk in at) == (True, False), resource


def test_nothing_is_seen_before_the_sweep_came_and_nothing_was_opened_to_know(cast: Cast, client_for: ClientFor) -> None:
    child, grant = guarded(cast, aged(17))
    gus = client_for(cast.gus)
    assert sees(gus, child) == {200}
    corrected(child, aged(18))
    flush()
    since = uuid7()
    assert sees(gus, child) == {404} and gus.get("/api/v1/patients/").json()["results"] != []
    grant.refresh_from_db()
    assert grant.ends_at is None, "the sweep has not been here"
    assert not Entry.objects.filter(id__gt=since, record_id=child.pk, act=Act.RECORD_OPENED).exists()


def test_who_is_made_younger_by_a_correction_is_a_minor_again(cast: Cast, client_for: ClientFor) -> None:
    child, _ = guarded(cast, aged(17))
    corrected(child, aged(19))
    assert sees(client_for(cast.gus), child) == {404}
    corrected(child, aged(18, days_to_go=1))
    assert sees(client_for(cast.gus), child) == {200}


def test_no_clear_column_tells_the_birthday(cast: Cast) -> None:
    """Two children of different birthdays: but for ids and the time of granting, the rows are the same."""
    rows = []
    for birth_date in (aged(9), aged(15)):
        child = make_patient("Canary", "Cody", birth_date=birth_date, mrn=f"MRN-{birth_date}")
        grant = services.grant_proxy(patient_id=child.pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)
        rows.append(
            {
                name: value
                for name, value in vars(grant).items()
                if name not in ("_state", "id", "patient_id", "starts_at", "sees", "scopes")
            }
        )
    assert str(rows[0].pop("ends_at")) == str(rows[1].pop("ends_at")) == "None"
    assert {name: str(value) for name, value in rows[0].items() if name[0] != "_"} == {
        name: str(value) for name, value in rows[1].items() if name[0] != "_"
    }


def test_a_guardian_of_who_has_grown_lets_nobody_in_and_withdraws_nothing(cast: Cast, client_for: ClientFor) -> None:
    child, grant = guarded(cast, aged(17))
    corrected(child, aged(18))
    gus = client_for(cast.gus)
    let = gus.post(f"/api/v1/patients/{child.pk}/proxies/", {"email": "deb@example.org", "scopes": ["record"]})
    assert (let.status_code, gus.delete(f"/api/v1/proxies/{grant.pk}/").status_code) == (404, 404)


def test_whom_a_guardian_let_in_goes_with_the_guardian(cast: Cast, client_for: ClientFor) -> None:
    deb = make_actor("deb", Role.PROXY, "deb@example.org")
    child, _ = guarded(cast, aged(16))
    services.delegate(patient_id=child.pk, email="deb@example.org", scopes=["record"], by=at_next_request(cast.gus))
    assert 200 in sees(client_for(deb), child)
    corrected(child, aged(18))
    assert sees(client_for(deb), child) == {404}


def test_what_a_guardian_offered_is_not_taken_up_after_the_birthday(cast: Cast) -> None:
    child, _ = guarded(cast, aged(17))
    services.delegate(patient_id=child.pk, email="late@example.org", scopes=["record"], by=at_next_request(cast.gus))
    corrected(child, aged(18))
    user = accept(token=token_of(Invitation.objects.get()), password="seven swans in the harbour", by=ANONYMOUS)
    assert not ProxyGrant.objects.filter(proxy=user.pk).exists()


def test_whom_the_patient_chose_stays_when_they_come_of_age(cast: Cast, client_for: ClientFor) -> None:
    deb, teen = make_actor("deb", Role.PROXY, "deb@example.org"), make_actor("teen", Role.PATIENT)
    child = make_patient("Canary", "Cody", teen.id, birth_date=aged(17))
    services.delegate(patient_id=child.pk, email="deb@example.org", scopes=["record"], by=teen)
    corrected(child, aged(18))
    assert 200 in sees(client_for(deb), child)


def test_a_court_makes_a_guardian_of_an_adult_on_the_very_birthday(cast: Cast, client_for: ClientFor) -> None:
    child, first = guarded(cast, aged(17))
    corrected(child, aged(18))
    again = services.grant_proxy(patient_id=child.pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)
    first.refresh_from_db()
    assert again.pk != first.pk and first.ends_at is not None and not again.of_minor
    assert sees(client_for(cast.gus), child) == {200}


@pytest.mark.parametrize(("held", "told", "ends"), [(None, 10, False), (40, 10, False), (40, 17, False), (10, 18, True), (40, 41, False)])
def test_an_import_that_corrects_the_birth_date_is_followed(cast: Cast, held: int | None, told: int, ends: bool) -> None:
    vera = patient()
    vera["resource"].pop("birthDate", None)
    known = vera if held is None else {**vera, "resource": {**vera["resource"], "birthDate": aged(held)}}
    pk = services.import_bundle(source=stream(bundle(known)), by=cast.nan).patient
    grant = services.grant_proxy(patient_id=pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)
    ProxyGrant.objects.filter(pk=grant.pk).update(starts_at=F("starts_at") - timedelta(minutes=1))
    vera = {**vera, "resource": {**vera["resource"], "birthDate": aged(told)}}
    services.import_bundle(source=stream(bundle(vera)), by=cast.nan)
    grant.refresh_from_db()
    assert grant.of_minor == (told < 18 or (held or 40) < 18) == User.objects.get(pk=cast.gus.id).guards_minors
    assert (grant.ends_at is not None and grant.ends_at <= now()) == ends
