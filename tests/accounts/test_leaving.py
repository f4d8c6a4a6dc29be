"""Who leaves is gone in one act, with everything that they were given; what they leave open is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.ledger import Act, uuid7
from audit.ledger.models import Entry
from telehealth.accounts import rules, services
from telehealth.accounts.access import Role
from telehealth.accounts.errors import FreshFactorRequired, RoleMissing
from telehealth.accounts.models import Invitation, RoleGrant, Session, User
from telehealth.accounts.services.roles import take_up
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.records.models import CareRelationship, Covering
from telehealth.records.services import begin_care
from tests.cast import Cast, id_of
from tests.consults.stage import appoint
from tests.people import ClientFor

USERS = "/admin/accounts/user/"


def test_one_act_ends_everything(cast: Cast, client_for: ClientFor) -> None:
    dee = id_of(cast.dr_dee)
    take_up(User.objects.get(pk=dee), None, cast.system)
    begin_care(patient_id=cast.ned_record.pk, practitioner_id=cast.dee.pk, source="assignment", source_id=uuid7(), by=cast.system)
    appoint(cast.pia_record, cast.dee)
    Covering.objects.create(covered=cast.cho, covering=cast.dee, arranged_by=dee, starts_at=now(), ends_at=now() + timedelta(days=2))
    sent = Invitation.objects.create(email="x@clinic.example", role=Role.NURSE, invited_by=dee)
    at_work, admin = client_for(cast.dr_dee), client_for(cast.admin)
    assert at_work.get("/api/v1/patients/").json()["results"]

    page = admin.post(USERS, {"action": "leave", "_selected_action": [str(dee), str(cast.admin.id)]}, format="multipart", follow=True)

    assert b"open_appointments 1" in page.content and b"care 2" in page.content
    assert at_work.get("/api/v1/me/").status_code == 401
    user = User.objects.get(pk=dee)
    assert not user.is_active and not user.has_usable_password()
    assert not Session.objects.filter(account=dee, ended_at=None).exists()
    assert not RoleGrant.objects.filter(account=dee, ended_at=None).exists()
    assert not CareRelationship.objects.filter(practitioner=cast.dee, ends_at=None).exists()
    assert not Covering.objects.filter(ends_at__gt=now()).exists()
    sent.refresh_from_db()
    assert sent.expires_at <= now()
    assert Entry.objects.filter(act=Act.STAFF_LEFT, object_pk=str(dee)).count() == 1
    assert User.objects.get(pk=cast.admin.id).is_active  # never oneself
    with pytest.raises(RoleMissing):
        services.switch_on(account_id=dee, by=cast.admin)


def test_who_may_let_whom_go(cast: Cast) -> None:
    dee = User.objects.get(pk=id_of(cast.dr_dee))
    assert [name for name, by in cast if rules.may_let_go(by, dee)] == ["admin"]
    for by, about in ((cast.admin, cast.admin), (cast.admin, cast.pia), (cast.privacy, cast.dr_dee)):
        with pytest.raises(Missing):
            services.leave(account_id=id_of(about), by=by)
    with pytest.raises(FreshFactorRequired):
        services.leave(account_id=dee.pk, by=replace(cast.admin, second_factor_at=now() - timedelta(minutes=6)))
