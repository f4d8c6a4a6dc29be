"""The mark of who acts for a minor: it comes with the grant, every door reads it, and without it the grant shows nothing."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger import ANONYMOUS, Actor
from telehealth.accounts.access import Action, Resource, Role
from telehealth.accounts.models import Invitation, User
from telehealth.accounts.selectors import token_of
from telehealth.accounts.services import accept
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.records import rules, selectors, services
from telehealth.records.access import visible
from telehealth.records.management.commands.import_bundle import _actor as actor_of_command
from telehealth.records.models import Patient, ProxyGrant
from telehealth.records.services.proxies import follow_ages_of
from tests.cast import Cast, at_next_request, make_actor, make_patient
from tests.people import ClientFor
from tests.records.test_coming_of_age import aged


@pytest.fixture
def child(cast: Cast) -> Patient:
    return make_patient("Canary", "Cody", birth_date=aged(9))


def marked(account: UUID | None) -> bool:
    return User.objects.get(pk=account).guards_minors


def guard(child: Patient, cast: Cast) -> ProxyGrant:
    return services.grant_proxy(patient_id=child.pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)


def planted(child: Patient, by: Actor, **values: object) -> ProxyGrant:
    """As if by a writer that does not know the mark."""
    when = {"starts_at": now() - timedelta(days=2), **values}
    return ProxyGrant.objects.create(patient=child, proxy=by.account, relationship="guardian", of_minor=True, **when)


def patients_of(by: Actor) -> set[Patient]:
    return set(Patient.objects.filter(visible(by, Action.READ, Resource.PATIENT, "")))


def test_a_grant_of_a_minor_marks_and_one_of_an_adult_does_not(cast: Cast, child: Patient) -> None:
    grown = make_patient("Canary", "Greta", birth_date=aged(18))
    services.grant_proxy(patient_id=grown.pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)
    assert not marked(cast.gus.id)
    assert guard(child, cast).of_minor and marked(cast.gus.id)
    assert User.objects.filter(guards_minors=True, pk__in=[by.id for _, by in cast if by.id]).count() == 1


def test_so_does_what_a_guardian_gives_to_others(cast: Cast, child: Patient) -> None:
    deb = make_actor("deb", Role.PROXY, "deb@example.org")
    guard(child, cast)
    for email in ("deb@example.org", "new@example.org"):
        services.delegate(patient_id=child.pk, email=email, scopes=["record"], by=at_next_request(cast.gus))
    new = accept(token=token_of(Invitation.objects.get()), password="seven swans in the harbour", by=ANONYMOUS)
    assert marked(deb.id) and marked(new.pk)
    assert patients_of(at_next_request(deb)) == patients_of(at_next_request(new.actor)) == {child}


def test_without_the_mark_a_planted_grant_shows_nothing_and_nothing_is_asked(cast: Cast, child: Patient, client_for: ClientFor) -> None:
    planted(child, cast.gus)
    gus = client_for(cast.gus)
    with CaptureQueriesContext(connection) as queries:
        assert patients_of(cast.gus) == {cast.pia_record}, "the adult she acts for is seen as ever"
    assert len(queries) == 1
    assert not rules.may_delegate(cast.gus, child)
    for path in ("", "resources/", "accesses/", "proxies/", "consents/"):
        assert gus.get(f"/api/v1/patients/{child.pk}/{path}").status_code == 404, path
    with pytest.raises(Missing):
        services.delegate(patient_id=child.pk, email="deb@example.org", scopes=["record"], by=cast.gus)

    User.objects.filter(pk=cast.gus.id).update(guards_minors=True)
    assert gus.get(f"/api/v1/patients/{child.pk}/").status_code == 200
    assert rules.may_delegate(at_next_request(cast.gus), child)


def test_whoever_becomes_a_guardian_while_signed_in_sees_it_at_the_next_request(cast: Cast, child: Patient, client_for: ClientFor) -> None:
    gus, where = client_for(cast.gus), f"/api/v1/patients/{child.pk}/"
    assert gus.get(where).status_code == 404
    guard(child, cast)
    assert gus.get(where).status_code == 200


def test_the_mark_alone_shows_nothing(cast: Cast, child: Patient, client_for: ClientFor) -> None:
    grant = guard(child, cast)
    services.revoke_proxy(grant_id=grant.pk, by=cast.desk)
    assert marked(cast.gus.id) and patients_of(at_next_request(cast.gus)) == {cast.pia_record}


def test_whoever_asks_by_an_id_alone_compares_birth_dates(cast: Cast, child: Patient) -> None:
    """The offer of a guardian who is not here: their mark is not at hand, and the grant is what counts."""
    planted(child, cast.gus)
    grown = make_patient("Canary", "Greta", birth_date=aged(18))
    planted(grown, cast.gus)
    assert rules.is_guardian(cast.gus.account, child) and not rules.is_guardian(cast.gus.account, grown)


def test_the_sweep_marks_what_was_granted_without_it(cast: Cast, child: Patient) -> None:
    grant = planted(child, cast.gus)
    assert grant.pk in selectors.guardians_of_minors(cast.system)
    services.follow_age(grant_id=grant.pk, by=cast.system)
    assert marked(cast.gus.id)


def test_a_correction_marks_whom_it_makes_a_minors_guardian(cast: Cast, client_for: ClientFor) -> None:
    grown = make_patient("Canary", "Greta", birth_date=aged(40))
    grant, gus = guard(grown, cast), client_for(cast.gus)
    assert (grant.of_minor, marked(cast.gus.id)) == (False, False)
    grown.birth_date = aged(9)
    grown.save()
    follow_ages_of(patient_id=grown.pk, by=cast.desk)
    grant.refresh_from_db()
    assert (grant.of_minor, marked(cast.gus.id)) == (True, True)
    assert gus.get(f"/api/v1/patients/{grown.pk}/").status_code == 200


def test_the_migration_marks_whoever_guards_a_minor_now(cast: Cast, child: Patient) -> None:
    planted(child, cast.gus)
    planted(child, cast.ned, ends_at=now() - timedelta(days=1))
    mark = import_module("telehealth.records.migrations.0012_guardians_marked").mark
    mark(apps, SimpleNamespace(connection=connection))
    assert (marked(cast.gus.id), marked(cast.ned.id), marked(cast.pia.id)) == (True, False, False)


def test_an_account_by_itself_and_a_command_bear_it(cast: Cast, child: Patient) -> None:
    guard(child, cast)
    bare = [User.objects.get(pk=cast.gus.id).actor, actor_of_command(str(cast.gus.id))]
    assert [by.guards_minors for by in bare] == [True, True]
    assert not User.objects.get(pk=cast.pia.id).actor.guards_minors
