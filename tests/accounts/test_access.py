"""The access table (C4): what it must never say, whoever edits it, and the gate that asks it."""

from dataclasses import replace

import pytest

from audit.ledger import ANONYMOUS, SYSTEM, Act, Actor, flush, uuid7
from audit.ledger.models import Entry
from telehealth.accounts.access import TABLE, Action, Resource, Role, Scope, gate, granted, scopes
from telehealth.core import now
from telehealth.core.errors import Refused

PHI = {
    Resource.PATIENT,
    Resource.CLINICAL_RESOURCE,
    Resource.NOTE,
    Resource.SUMMARY,
    Resource.PRESCRIPTION,
    Resource.VISIT,
    Resource.WAITING_ROOM,
    Resource.APPOINTMENT,
    Resource.WAITLIST,
}
CHART = {Resource.CLINICAL_RESOURCE, Resource.NOTE, Resource.SUMMARY, Resource.PRESCRIPTION}


def cells() -> list[tuple[Role, Resource, Action, frozenset[Scope]]]:
    return [
        (role, resource, action, cell) for role, rows in TABLE.items() for resource, row in rows.items() for action, cell in row.items()
    ]


def actor(role: Role, **more: object) -> Actor:
    return replace(Actor(id=uuid7(), role=role, second_factor_at=now()), **more)


def test_every_role_has_rows_and_every_resource_a_reader() -> None:
    assert set(TABLE) == set(Role)
    assert {resource for _, resource, _, _ in cells()} == set(Resource)
    assert all(cell for *_, cell in cells())


def test_nobody_has_all_records() -> None:
    assert not [cell for cell in cells() if cell[1] in PHI and Scope.ALL in cell[3]]


def test_the_chart_is_for_the_person_and_for_care() -> None:
    for role, resource, _, cell in cells():
        if resource in CHART:
            assert cell <= {Scope.OWN, Scope.DELEGATED, Scope.CARE, Scope.EMERGENCY}
            assert role in {Role.PATIENT, Role.PROXY, Role.PROVIDER, Role.NURSE}


def test_an_emergency_is_for_looking() -> None:
    assert {action for _, _, action, cell in cells() if Scope.EMERGENCY in cell} == {Action.READ, Action.SEARCH}


def test_administrators_and_privacy_officers_see_no_patient() -> None:
    for role in (Role.ADMINISTRATOR, Role.PRIVACY_OFFICER):
        assert not PHI & set(TABLE[role])


def test_a_proxy_has_no_record_of_their_own_and_patients_no_others() -> None:
    for role, allowed in ((Role.PROXY, {Scope.DELEGATED}), (Role.PATIENT, {Scope.OWN, Scope.DELEGATED})):
        assert {scope for r, resource, _, cell in cells() if r == role and resource in PHI for scope in cell} == allowed


def test_only_providers_sign_and_only_the_ledgers_readers_read_it() -> None:
    assert {role for role, _, action, _ in cells() if action == Action.SIGN} == {Role.PROVIDER}
    assert {role for role, resource, _, _ in cells() if resource == Resource.AUDIT_ENTRY} == {Role.PRIVACY_OFFICER}
    assert not [cell for cell in cells() if cell[1] == Resource.AUDIT_ENTRY and cell[2] in (Action.UPDATE, Action.DELETE)]


@pytest.mark.parametrize("role", ["system", "anonymous", "", "owner", "Provider"])
def test_an_unknown_role_has_nothing(role: str) -> None:
    assert not any(scopes(role, action, resource) for action in Action for resource in Resource)


def test_an_app_has_what_both_the_person_and_its_scope_have() -> None:
    for role in Role:
        for resource in Resource:
            for action in Action:
                by = actor(role, client="an-app", scopes=frozenset({"patient"}))
                both = scopes(role, action, resource) & scopes(Role.PATIENT, action, resource)
                assert granted(by, action, resource) == both
                assert not granted(replace(by, scopes=frozenset()), action, resource)
                assert not granted(replace(by, scopes=frozenset({"provider", "*"})), action, resource)
    provider = actor(Role.PROVIDER, client="an-app", scopes=frozenset({"patient"}))
    assert not granted(provider, Action.READ, Resource.PATIENT)
    assert granted(provider, Action.READ, Resource.ACCOUNT)


@pytest.mark.django_db
@pytest.mark.usefixtures("audit_unit")
def test_the_gate_refuses_on_record() -> None:
    biller = actor(Role.BILLER)
    gate(biller, Action.READ, Resource.APPOINTMENT)
    for nobody in (biller, ANONYMOUS, SYSTEM):
        with pytest.raises(Refused):
            gate(nobody, Action.READ, Resource.NOTE)
    flush()
    assert Entry.objects.filter(act=Act.REFUSED, reason="no_scope", kind="note.read").count() == 3
