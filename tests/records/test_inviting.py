"""Invitations, the accounts that come of them, and where people are reached."""

from datetime import timedelta
from typing import Any

import pytest

from audit.ledger import ANONYMOUS, Act, Actor, uuid7
from audit.ledger.models import Entry
from telehealth.accounts.errors import ExportWaits, InvitationUnusable, SignInFirst
from telehealth.accounts.factors import require_export
from telehealth.accounts.models import Invitation, TOTPDevice, User
from telehealth.accounts.selectors import account_of_email, invitation_path, token_of
from telehealth.accounts.services import accept
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.records import selectors, services
from telehealth.records.addresses import address_of
from telehealth.records.errors import AccountTaken, GuardianRequired, IdentityUnchecked
from telehealth.records.models import Patient, ProxyGrant
from telehealth.records.services import invite
from tests.cast import Cast, at_next_request, id_of, make_patient
from tests.people import Acts, Browser, ClientFor

CHECKED: dict[str, Any] = {"checked": ["birth_date", "address"], "called_back": True}
PASSWORD = "seven swans in the harbour"


def invited(patient: Patient, cast: Cast, relationship: str = "self", email: str = "vera@example.org") -> Invitation:
    return invite(patient_id=patient.pk, email=email, relationship=relationship, by=cast.desk, **CHECKED)


def accepted(invitation: Invitation) -> Actor:
    known = None if invitation.account else account_of_email(invitation.email)
    by = Actor(id=known.pk, role=known.role, second_factor_at=now()) if known else ANONYMOUS
    user = accept(token=token_of(invitation), password=PASSWORD, by=by)
    return at_next_request(user.actor)


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


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"checked": ["birth_date", "address"]},
        {"checked": ["birth_date"], "called_back": True},
        {"checked": ["birth_date", "birth_date"], "called_back": True},
        {"checked": ["birth_date", "shoe_size"], "called_back": True},
    ],
)
def test_a_patient_is_let_in_again_after_two_identifiers_and_a_call_back(told: dict[str, Any], vera: Patient, cast: Cast) -> None:
    accepted(invited(vera, cast))
    with pytest.raises(IdentityUnchecked):
        invite(patient_id=vera.pk, email="thief@example.org", relationship="self", by=cast.desk, **told)
    assert Invitation.objects.count() == 1


def test_a_reset_is_on_record_in_codes_told_to_the_old_address_and_exports_wait(vera: Patient, cast: Cast, acts: Acts) -> None:
    person = accepted(invited(vera, cast))
    TOTPDevice.objects.create(user_id=person.id, seed="JBSWY3DPEHPK3PXP", confirmed=True)
    again = accepted(invited(vera, cast, email="vera.new@example.org"))
    assert again.id == person.id and Act.PATIENT_RESET in acts()
    detail = Entry.objects.get(act=Act.PATIENT_RESET).detail
    assert detail == '{"called_back":"number_on_record","checked":["address","birth_date"]}'
    assert not TOTPDevice.objects.filter(user_id=person.id).exists()
    (told,) = [address_of(message.person_id) for message in Message.objects.filter(kind="factors_changed") if message.person_id]
    assert told and told.email == "vera@example.org"
    fresh = Actor(id=again.id, role=again.role, second_factor_at=now())
    with pytest.raises(ExportWaits):
        require_export(fresh)
    User.objects.filter(pk=again.id).update(no_export_until=now() - timedelta(seconds=1))
    require_export(fresh)


def test_a_reset_needs_a_number_to_call_back(vera: Patient, cast: Cast) -> None:
    accepted(invited(vera, cast))
    vera.refresh_from_db()
    vera.phone = ""
    vera.save()
    with pytest.raises(IdentityUnchecked):
        invited(vera, cast)


def test_a_mailbox_alone_neither_resets_an_account_nor_accepts_for_it(vera: Patient, child: Patient, cast: Cast) -> None:
    person = accepted(invited(vera, cast))
    password = User.objects.get(pk=person.id).password
    offer = invited(child, cast, "guardian")
    half = Actor(id=person.id, role=person.role)
    for by in (ANONYMOUS, half, cast.ned):
        with pytest.raises(SignInFirst):
            accept(token=token_of(offer), password="nine lanterns over the bay", by=by)
    assert User.objects.get(pk=person.id).password == password
    assert not ProxyGrant.objects.filter(patient=child).exists()
    assert set(selectors.patients_for(accepted(offer))) == {vera, child}
    assert User.objects.get(pk=person.id).password == password


def test_who_has_an_account_accepts_signed_in_by_the_page(vera: Patient, child: Patient, cast: Cast, client_for: ClientFor) -> None:
    person = accepted(invited(vera, cast))
    path = invitation_path(invited(child, cast, "guardian").pk)
    assert Browser().get(path)["Location"].startswith("/sign-in/?next=")
    assert Browser().form(path).status_code == 403
    told = {"password": PASSWORD, "password_again": PASSWORD}
    assert Browser().form(path, **told).status_code == 400
    browser = client_for(person)
    assert b"Accept the invitation" in browser.get(path).content
    assert browser.form(path).status_code == 302
    assert ProxyGrant.objects.filter(patient=child, proxy=person.id).exists()


def test_the_desks_page_asks_for_what_was_checked(vera: Patient, cast: Cast, client_for: ClientFor) -> None:
    accepted(invited(vera, cast))
    desk, path = client_for(cast.desk), f"/desk/patients/{vera.pk}/invite/"
    page = desk.form(path, email="vera.new@example.org", relationship="self").content.decode()
    assert "call back the number on record" in page and Invitation.objects.count() == 1
    desk.form(path, email="vera.new@example.org", relationship="self", checked=["birth_date", "address"], called_back="on")
    assert Invitation.objects.count() == 2
