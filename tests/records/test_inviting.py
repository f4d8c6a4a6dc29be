"""Invitations, the accounts that come of them, and where people are reached."""

import pytest

from audit.ledger import ANONYMOUS, Act, Actor, uuid7
from telehealth.accounts.errors import InvitationUnusable
from telehealth.accounts.models import Invitation, User
from telehealth.accounts.selectors import token_of
from telehealth.accounts.services import accept
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.records import selectors, services
from telehealth.records.addresses import address_of
from telehealth.records.errors import AccountTaken, GuardianRequired
from telehealth.records.models import Patient, ProxyGrant
from telehealth.records.services import invite
from tests.cast import Cast, id_of, make_patient
from tests.people import Acts, ClientFor

PASSWORD = "seven swans in the harbour"


def invited(patient: Patient, cast: Cast, relationship: str = "self", email: str = "vera@example.org") -> Invitation:
    return invite(patient_id=patient.pk, email=email, relationship=relationship, by=cast.desk)


def accepted(invitation: Invitation) -> Actor:
    user = accept(token=token_of(invitation), password=PASSWORD, by=ANONYMOUS)
    return Actor(id=user.pk, role=user.role)


@pytest.fixture
def vera(cast: Cast) -> Patient:
    return make_patient("Canary", "Vera")


@pytest.fixture
def child(cast: Cast) -> Patient:
    return make_patient("Canary", "Cody", birth_date="2020-10-20")


def test_who_accepts_sees_their_own_record_from_then_on(vera: Patient, cast: Cast) -> None:
    actor = accepted(invited(vera, cast))
    assert actor.role == "patient"
    assert list(selectors.patients_for(actor)) == [vera]


def test_the_message_waits_in_the_outbox_with_ids_only(vera: Patient, cast: Cast, acts: Acts) -> None:
    invitation = invited(vera, cast)
    message = Message.objects.get()
    assert (message.kind, message.person_id, message.object_id) == ("invitation", invitation.pk, invitation.pk)
    assert Act.PATIENT_INVITED in acts() and "vera@" not in str(Message.objects.values())


def test_a_second_invitation_recovers_the_account_there_is(vera: Patient, cast: Cast) -> None:
    first = accepted(invited(vera, cast))
    again = accepted(invited(vera, cast, email="vera.new@example.org"))
    assert again.id == first.id
    assert User.objects.get(pk=id_of(first)).email == "vera.new@example.org"
    assert list(selectors.patients_for(again)) == [vera]


def test_revoking_a_guardian_ends_an_invitation_that_was_not_answered_yet(child: Patient, cast: Cast) -> None:
    guardian = accepted(invited(child, cast, "guardian"))
    others = invited(child, cast, "guardian", email="wes@example.org")
    kept = invited(child, cast, "guardian")
    services.revoke_proxy(grant_id=child.proxies.get().pk, by=cast.desk)
    with pytest.raises(InvitationUnusable):
        accepted(kept)
    assert not selectors.patients_for(guardian).exists()
    assert list(selectors.patients_for(accepted(others))) == [child]


def test_for_a_minor_a_guardian_accepts(child: Patient, cast: Cast) -> None:
    with pytest.raises(GuardianRequired):
        invited(child, cast)
    guardian = accepted(invited(child, cast, "guardian"))
    assert guardian.role == "proxy" and list(selectors.patients_for(guardian)) == [child]
    child.refresh_from_db()
    assert child.account_id is None
    grant = ProxyGrant.objects.get(patient=child)
    assert (grant.granted_by, grant.relationship) == (cast.desk.id, "guardian")


def test_a_guardian_who_accepts_again_is_granted_once(child: Patient, cast: Cast) -> None:
    first, again = accepted(invited(child, cast, "guardian")), accepted(invited(child, cast, "guardian"))
    assert first.id == again.id and ProxyGrant.objects.filter(patient=child).count() == 1


def test_a_parent_who_is_a_patient_too_keeps_both(vera: Patient, child: Patient, cast: Cast) -> None:
    accepted(invited(vera, cast))
    both = accepted(invited(child, cast, "guardian"))
    assert set(selectors.patients_for(both)) == {vera, child}


def test_one_account_is_not_two_patients(vera: Patient, cast: Cast) -> None:
    accepted(invited(vera, cast))
    other = make_patient("Canary", "Ada")
    with pytest.raises(AccountTaken):
        accepted(invited(other, cast))
    other.refresh_from_db()
    assert other.account_id is None


@pytest.mark.parametrize("who", ["pia", "ned", "gus", "dr_cho", "nan", "biller", "privacy", "admin"])
def test_only_the_desk_invites(who: str, vera: Patient, cast: Cast, client_for: ClientFor) -> None:
    with pytest.raises(Missing):
        invite(patient_id=vera.pk, email="x@example.org", relationship="self", by=getattr(cast, who))
    answer = client_for(getattr(cast, who)).post(
        f"/api/v1/patients/{vera.pk}/invitations/", {"email": "x@example.org", "relationship": "self"}
    )
    assert answer.status_code == 404 and not Invitation.objects.exists()


def test_the_desk_invites_by_rest_once_per_key(vera: Patient, cast: Cast, client_for: ClientFor) -> None:
    client, told = client_for(cast.desk), {"email": "vera@example.org", "relationship": "self"}
    first, again = (client.post(f"/api/v1/patients/{vera.pk}/invitations/", told, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.status_code == 201 and first.json() == again.json()
    assert first.json()["patient"] == str(vera.pk) and "vera@" not in first.content.decode()
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"email": "vera@example.org", "relationship": "self"}, 409),
        ({"email": "vera@example.org", "relationship": "uncle"}, 400),
        ({"email": "nowhere", "relationship": "guardian"}, 400),
        ({"relationship": "guardian"}, 400),
        ({"email": "a@example.org", "relationship": "guardian", "role": "administrator"}, 400),
    ],
)
def test_an_invitation_that_cannot_be_gets_its_answer(
    told: dict[str, str], status: int, child: Patient, cast: Cast, client_for: ClientFor
) -> None:
    answer = client_for(cast.desk).post(f"/api/v1/patients/{child.pk}/invitations/", told)
    assert answer.status_code == status and not Invitation.objects.exists()


def test_people_are_found_by_account_or_by_invitation(vera: Patient, cast: Cast) -> None:
    invitation = invited(vera, cast)
    waiting = address_of(invitation.pk)
    assert waiting and (waiting.email, waiting.phone) == ("vera@example.org", "")
    known = address_of(id_of(accepted(invitation)))
    assert known and (known.email, known.phone, known.language) == ("vera@example.org", "617-555-0100", "en")
    staff = address_of(id_of(cast.desk))
    assert staff and (staff.email, staff.phone) == ("desk@example.org", "")
    assert address_of(uuid7()) is None


def test_a_switched_off_account_is_not_written_to(cast: Cast) -> None:
    User.objects.filter(pk=id_of(cast.pia)).update(is_active=False)
    assert address_of(id_of(cast.pia)) is None
