"""The cast of every test: who they are never changes, so that a name tells who may do what."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from audit.ledger import SYSTEM, Actor, unit
from telehealth.accounts.access import Role
from telehealth.accounts.models import User
from telehealth.core import now
from telehealth.records.digests import name_tokens
from telehealth.records.models import License, Patient, Practitioner, ProxyGrant, ProxyRelationship


@dataclass(frozen=True)
class Cast:
    """Actors who have just shown their second factor, and the rows that belong to them.

    pia is a patient and gus her guardian; ned is a neighbour with no business in her record. dr_cho will care for her
    (`begin_care` says when), dr_dee will not. nan is the nurse.
    """

    pia: Actor
    ned: Actor
    gus: Actor
    dr_cho: Actor
    dr_dee: Actor
    nan: Actor
    desk: Actor
    biller: Actor
    privacy: Actor
    admin: Actor
    system: Actor
    pia_record: Patient
    ned_record: Patient
    cho: Practitioner
    dee: Practitioner

    def __iter__(self) -> Iterator[tuple[str, Actor]]:
        """Each actor by name."""
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Actor))


PEOPLE = {
    "pia": Role.PATIENT,
    "ned": Role.PATIENT,
    "gus": Role.PROXY,
    "dr_cho": Role.PROVIDER,
    "dr_dee": Role.PROVIDER,
    "nan": Role.NURSE,
    "desk": Role.FRONT_DESK,
    "biller": Role.BILLER,
    "privacy": Role.PRIVACY_OFFICER,
    "admin": Role.ADMINISTRATOR,
}


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    """Everybody, inside an audit unit of the system's, so that a test may call services and read records."""
    with unit(SYSTEM, channel="task", reason="test"):
        actors = {name: make_actor(name, role) for name, role in PEOPLE.items()}
        pia, ned = make_patient("Quill", "Pia", actors["pia"].id), make_patient("Nettle", "Ned", actors["ned"].id)
        ProxyGrant.objects.create(
            patient=pia,
            proxy=id_of(actors["gus"]),
            relationship=ProxyRelationship.GUARDIAN,
            granted_by=actors["desk"].id,
            starts_at=now(),
        )
        yield Cast(
            **actors,
            system=SYSTEM,
            pia_record=pia,
            ned_record=ned,
            cho=make_practitioner("Cho", "Ana", actors["dr_cho"].id),
            dee=make_practitioner("Dee", "Ben", actors["dr_dee"].id),
        )


def id_of(actor: Actor) -> UUID:
    """The account of an actor who has one."""
    if actor.id is None:
        raise LookupError("nobody's account")
    return actor.id


def make_actor(name: str, role: Role, email: str = "") -> Actor:
    """An account with no password and an actor for it who has just shown a second factor."""
    shown = "" if role in (Role.PATIENT, Role.PROXY) else name
    user = User(email=email or f"{name}@example.org", role=role, name=shown)
    user.set_unusable_password()
    user.save()
    return Actor(id=user.pk, role=user.role, second_factor_at=now())


def make_patient(family: str, given: str, account_id: UUID | None = None, **values: Any) -> Patient:
    """A patient of Massachusetts, born in 1990, with a phone."""
    facts = {"birth_date": "1990-02-03", "gender": "female", "phone": "617-555-0100", "mrn": f"MRN-{family}-{given}", **values}
    address = {"line": "1 Elm Street", "city": "Quincy", "state": "MA", "postal_code": "02169", "country": "US"}
    tokens = name_tokens(family, given)
    return Patient.objects.create(
        family=family, given=given, account_id=account_id, name_tokens=tokens, **{"address": address, "language": "en", **facts}
    )


def make_practitioner(family: str, given: str, account_id: UUID | None) -> Practitioner:
    """Somebody who gives care, licensed in Massachusetts."""
    made = Practitioner.objects.create(account_id=account_id, family=family, given=given, npi="1999000015", npi_valid=True)
    License.objects.create(practitioner=made, state="MA", valid_from=now().date().replace(year=2020, day=1))
    return made


def at_next_request(actor: Actor) -> Actor:
    """The same person as the doors would read them now: whoever has become a minor's guardian bears the mark."""
    return replace(actor, guards_minors=User.objects.get(pk=actor.id).guards_minors)


def stale(actor: Actor) -> Actor:
    """The same person without a second factor."""
    return replace(actor, second_factor_at=None)
