"""Delegation: what a grant does not name is not there; it ends by hand, by time, by coming of age; entries name both."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from audit.ledger import ANONYMOUS, SYSTEM, Act, Actor, flush, uuid7
from audit.ledger.models import Entry
from telehealth.accounts.access import Action, Resource, Role, granted
from telehealth.accounts.models import Invitation, User
from telehealth.accounts.selectors import token_of
from telehealth.accounts.services import accept
from telehealth.outbox.models import Message
from telehealth.records import selectors, services
from telehealth.records.access.delegation import NEEDS, WITH_ANY
from telehealth.records.ages import day_of
from telehealth.records.importing.reading import age_on
from telehealth.records.models import Patient, ProxyGrant, ProxyScope
from telehealth.records.services import grant_proxy
from telehealth.records.services.grants import guardians_scopes
from tests.cast import Cast, make_actor, make_patient
from tests.people import Acts, Browser, ClientFor

EVERYTHING = {"schedule", "messages", "visits", "record"}
REACHES = {"schedule": "appointments/", "record": "patients/{pk}/resources/", "visits": "visits/"}


@pytest.fixture
def deb(cast: Cast) -> Actor:
    """An adult with an account of her own and no patient yet."""
    return make_actor("deb", Role.PROXY, "deb@example.org")


def let(browser: Browser, patient: Patient, email: str = "deb@example.org", **more: Any) -> Any:
    return browser.post(f"/api/v1/patients/{patient.pk}/proxies/", {"email": email, "scopes": ["schedule"], **more})


def reaches(browser: Browser, patient: Patient) -> set[str]:
    """Which scopes this browser has for the patient: by what answers, and by what it lists."""
    found = {"any"} if browser.get(f"/api/v1/patients/{patient.pk}/").status_code == 200 else set()
    for scope, (path, param) in {"record": ("resources", ""), "accesses": ("accesses", "")}.items():
        if browser.get(f"/api/v1/patients/{patient.pk}/{path}/{param}").status_code == 200:
            found.add(scope)
    return found


def test_a_grant_reaches_what_it_names_and_ends_when_it_says(cast: Cast, deb: Actor, client_for: ClientFor, acts: Acts) -> None:
    pia, hers = client_for(cast.pia), client_for(deb)
    assert let(pia, cast.pia_record, ends_at=(timezone.now() + timedelta(hours=1)).isoformat()).status_code == 201
    assert reaches(hers, cast.pia_record) == {"any"}
    ago = timedelta(hours=2)
    ProxyGrant.objects.filter(proxy=deb.id).update(starts_at=F("starts_at") - ago, ends_at=F("ends_at") - ago)
    assert reaches(hers, cast.pia_record) == set()
    assert let(pia, cast.pia_record, scopes=["record"]).status_code == 201
    assert reaches(hers, cast.pia_record) == {"any", "record", "accesses"}
    assert acts().count(Act.PROXY_GRANTED) == 2


@pytest.mark.parametrize("resource", list(Resource))
def test_every_resource_of_people_needs_a_scope_or_is_with_any(resource: Resource) -> None:
    proxy = Actor(id=uuid7(), role=Role.PROXY)
    held = any("delegated" in granted(proxy, action, resource) for action in Action)
    assert held == (resource in NEEDS or resource in WITH_ANY)


def test_whoever_has_no_account_is_invited_and_then_has_what_was_offered(cast: Cast, client_for: ClientFor) -> None:
    offer = let(client_for(cast.pia), cast.pia_record, "new@example.org", scopes=["record"]).json()
    invitation = Invitation.objects.get(pk=offer["id"])
    user = accept(token=token_of(invitation), password="seven swans in the harbour", by=ANONYMOUS)
    grant = ProxyGrant.objects.get(proxy=user.pk)
    assert (grant.scopes, grant.relationship, grant.granted_by) == (["record"], "delegate", cast.pia.id)


def test_the_answer_does_not_tell_whether_somebody_has_an_account(cast: Cast, deb: Actor, client_for: ClientFor) -> None:
    pia = client_for(cast.pia)
    known, unknown = let(pia, cast.pia_record).json(), let(pia, cast.pia_record, "new@example.org").json()
    assert {**known, "id": ""} == {**unknown, "id": ""}
    assert set(Message.objects.values_list("kind", flat=True)) == {"proxy_granted", "invitation"}


def test_an_account_that_stands_is_not_recovered_by_being_chosen(cast: Cast, deb: Actor, client_for: ClientFor) -> None:
    before = User.objects.values("password", "epoch").get(pk=deb.id)
    let(client_for(cast.pia), cast.pia_record)
    assert User.objects.values("password", "epoch").get(pk=deb.id) == before and not Invitation.objects.exists()


@pytest.mark.parametrize("who", ["ned", "dr_cho", "nan", "biller", "privacy", "admin"])
def test_nobody_else_lets_somebody_in(cast: Cast, deb: Actor, client_for: ClientFor, who: str) -> None:
    assert let(client_for(getattr(cast, who)), cast.pia_record).status_code == 404


def test_a_guardian_lets_others_in_and_a_delegate_does_not(cast: Cast, deb: Actor, client_for: ClientFor) -> None:
    assert let(client_for(cast.gus), cast.pia_record, scopes=sorted(EVERYTHING)).status_code == 201
    assert let(client_for(deb), cast.pia_record, "third@example.org").status_code == 404


def test_it_needs_a_fresh_factor_and_an_end_to_come(cast: Cast, deb: Actor, client_for: ClientFor) -> None:
    tired = client_for(cast.pia, factor_at=timezone.now() - timedelta(minutes=6))
    assert let(tired, cast.pia_record).json()["code"] == "fresh_factor_required"
    past = let(client_for(cast.pia), cast.pia_record, ends_at="2001-01-01T00:00:00Z")
    assert (past.status_code, past.json()["code"]) == (400, "period_unusable")


@pytest.mark.parametrize("who", ["pia", "deb", "gus", "desk"])
def test_it_is_ended_by_who_gave_it_who_holds_it_and_the_desk(cast: Cast, deb: Actor, client_for: ClientFor, who: str) -> None:
    let(client_for(cast.pia), cast.pia_record)
    grant = ProxyGrant.objects.get(proxy=deb.id)
    ended = client_for(deb if who == "deb" else getattr(cast, who)).delete(f"/api/v1/proxies/{grant.pk}/")
    assert (ended.status_code, reaches(client_for(deb), cast.pia_record)) == (200, set())


@pytest.mark.parametrize("who", ["ned", "dr_cho", "nan", "admin"])
def test_nobody_else_ends_it(cast: Cast, deb: Actor, client_for: ClientFor, who: str) -> None:
    let(client_for(cast.pia), cast.pia_record)
    grant = ProxyGrant.objects.get(proxy=deb.id)
    assert client_for(getattr(cast, who)).delete(f"/api/v1/proxies/{grant.pk}/").status_code == 404
    assert reaches(client_for(deb), cast.pia_record) == {"any"}


def test_a_delegate_does_not_end_a_guardians_grant(cast: Cast, deb: Actor, client_for: ClientFor) -> None:
    let(client_for(cast.pia), cast.pia_record)
    guardians = ProxyGrant.objects.get(proxy=cast.gus.id)
    assert client_for(deb).delete(f"/api/v1/proxies/{guardians.pk}/").status_code == 404


def test_every_entry_names_both(cast: Cast, deb: Actor, client_for: ClientFor) -> None:
    let(client_for(cast.pia), cast.pia_record, scopes=["record", "schedule"])
    since, hers = uuid7(), client_for(deb)
    hers.get(f"/api/v1/patients/{cast.pia_record.pk}/")
    hers.get(f"/api/v1/patients/{cast.pia_record.pk}/accesses/")
    entries = Entry.objects.filter(id__gt=since, actor_id=deb.id)
    assert {entry.act for entry in entries} >= {Act.RECORD_OPENED, Act.LEDGER_READ}
    assert {(entry.actor_id, entry.role, entry.record_id) for entry in entries} == {(deb.id, Role.PROXY, cast.pia_record.pk)}


def birthday(years: int, days: int = 0) -> str:
    """The birth date of who is so old today, or will be in some days, by the clinic's calendar."""
    day = day_of() + timedelta(days=days)
    return date(day.year - years, day.month, min(day.day, 28)).isoformat()


def followed() -> int:
    """What the clock's task does; how many grants changed."""
    return sum(services.follow_age(grant_id=pk, by=SYSTEM) for pk in selectors.guardians_of_minors(SYSTEM))


def guarded(cast: Cast, birth_date: str) -> tuple[Patient, ProxyGrant]:
    child = make_patient("Canary", "Cody", birth_date=birth_date)
    return child, grant_proxy(patient_id=child.pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)


@pytest.mark.parametrize(
    ("age", "scopes"),
    [(None, EVERYTHING), (0, EVERYTHING), (11, EVERYTHING), (12, EVERYTHING - {"messages"}), (17, EVERYTHING - {"messages"})],
)
def test_a_guardians_scopes_follow_the_age(age: int | None, scopes: set[str]) -> None:
    assert set(guardians_scopes(age)) == scopes


def test_at_twelve_a_guardian_sees_less_and_at_eighteen_nothing(cast: Cast, client_for: ClientFor, acts: Acts) -> None:
    child, grant = guarded(cast, birthday(9))
    gus = client_for(cast.gus)
    assert followed() == 0 and set(grant.scopes) == EVERYTHING
    child.birth_date = birthday(12)
    child.save()
    flush()  # what this test itself has read
    since = uuid7()
    assert followed() == 1 and followed() == 0
    grant.refresh_from_db()
    assert set(grant.scopes) == EVERYTHING - {ProxyScope.MESSAGES}
    assert reaches(gus, child) == {"any", "record", "accesses"}
    child.birth_date = birthday(18)
    child.save()
    assert reaches(gus, child) == set(), "before the clock has followed"
    assert followed() == 1
    assert reaches(gus, child) == set()
    assert not Entry.objects.filter(id__gt=since, act=Act.RECORD_OPENED, role="system").exists()
    assert {Act.PROXY_NARROWED, Act.PROXY_REVOKED} <= set(acts())


def test_an_adults_guardian_stays(cast: Cast, client_for: ClientFor) -> None:
    grown, _ = guarded(cast, birthday(40))
    assert followed() == 0
    assert "any" in reaches(client_for(cast.gus), grown)


@pytest.mark.parametrize(("born", "age"), [("2000-02-29", 26), ("2000", 25), ("2000-12", 25), ("x", None), (None, None)])
def test_an_inexact_birth_date_makes_nobody_older(born: str | None, age: int | None) -> None:
    assert age_on(born, date(2026, 3, 1)) == age
