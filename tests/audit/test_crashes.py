"""kill -9 of web, sealer and PostgreSQL at random points."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from audit.ledger import SYSTEM, unit, uuid7
from telehealth.accounts.access import Role
from telehealth.accounts.models import AccessToken, Application, User
from tests.audit.crashes import check, storm
from tests.audit.elsewhere import Elsewhere, restored
from tests.cast import make_patient
from tests.people import MakeAccount

AsOwner = Callable[..., list[tuple[Any, ...]]]
VICTIMS = ("web", "sealer", "postgres")


@dataclass
class Reader:
    """A patient's app over a cluster that nothing else uses."""

    elsewhere: Elsewhere
    record: UUID
    token: str

    @property
    def path(self) -> str:
        return f"/api/v1/patients/{self.record}/"


@pytest.fixture
def reader(transactional_db: None, make_account: MakeAccount) -> Iterator[Reader]:
    person, token = make_account(Role.PATIENT), uuid7().hex
    with unit(SYSTEM, channel="command"):
        record = make_patient("Vane", "Iris", account_id=person.id).pk
    user = User.objects.get(pk=person.id)
    app = Application.objects.create(client_id=uuid7().hex, client_type="public", authorization_grant_type="authorization-code")
    later = timezone.now() + timedelta(hours=2)
    AccessToken.objects.create(
        user=user, application=app, token=token, scope="patient", expires=later, factor_at=timezone.now(), epoch=user.epoch
    )
    with restored() as elsewhere:
        yield Reader(elsewhere, record, token)


def kill(reader: Reader, victims: list[str], seed: int) -> None:
    print(f"seed {seed}: {victims}")  # noqa: T201  # to have the same again
    answered = storm(reader.elsewhere, reader.path, reader.token, victims, random.Random(seed))
    check(reader.elsewhere, answered, reader.record)


def test_five_kills_lose_no_entry_and_seal_nothing_twice(reader: Reader) -> None:
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    victims = [*VICTIMS, chance.choice(VICTIMS), chance.choice(VICTIMS)]
    chance.shuffle(victims)
    kill(reader, victims, seed)


def test_a_commit_that_returned_is_kept_also_where_the_server_would_not_wait(transactional_db: None, as_owner: AsOwner) -> None:
    """The suite's own cluster commits without waiting for its log; the connections of the application wait."""
    assert as_owner("SHOW synchronous_commit") == [("off",)]
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


@pytest.mark.storm
def test_fifty_kills(reader: Reader) -> None:
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    kill(reader, [chance.choice(VICTIMS) for _ in range(50)], seed)
