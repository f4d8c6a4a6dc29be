"""Every write of this app."""

from telehealth.accounts.services.apps import register_app, revoke_apps
from telehealth.accounts.services.changing import ask_email_change, change_password, confirm_email_change
from telehealth.accounts.services.factors import (
    confirm_enrolment,
    prove,
    remove_factor,
    rename_factor,
    start_enrolment,
    step_up_app,
)
from telehealth.accounts.services.forgetting import forget_account
from telehealth.accounts.services.guarding import mark_guardian
from telehealth.accounts.services.importing import import_staff
from telehealth.accounts.services.invitations import accept, create_invitation, withdraw_invitations
from telehealth.accounts.services.leaving import leave
from telehealth.accounts.services.locking import come_back, lock_session, unlock_session
from telehealth.accounts.services.passkeys import add_passkey, prove_passkey, sign_in_with_passkey, start_passkey
from telehealth.accounts.services.people import create_account, recover, switch_off, switch_on
from telehealth.accounts.services.recertifying import remind_of_roles
from telehealth.accounts.services.recovery_codes import make_recovery_codes, use_recovery_code
from telehealth.accounts.services.roles import (
    approve_role,
    confirm_role,
    end_expired_roles,
    end_role,
    request_role,
    withdraw_role_request,
)
from telehealth.accounts.services.sessions import close_everything, end_app_session, end_other_sessions, end_session, open_session
from telehealth.accounts.services.signing_in import lock_account, sign_in, sign_out
from telehealth.accounts.services.staff import approve_reset, invite_staff, request_reset, withdraw_reset

__all__ = [
    "accept",
    "add_passkey",
    "approve_reset",
    "approve_role",
    "ask_email_change",
    "change_password",
    "close_everything",
    "come_back",
    "confirm_email_change",
    "confirm_enrolment",
    "confirm_role",
    "create_account",
    "create_invitation",
    "end_app_session",
    "end_expired_roles",
    "end_other_sessions",
    "end_role",
    "end_session",
    "forget_account",
    "import_staff",
    "invite_staff",
    "leave",
    "lock_account",
    "lock_session",
    "make_recovery_codes",
    "mark_guardian",
    "open_session",
    "prove",
    "prove_passkey",
    "recover",
    "register_app",
    "remind_of_roles",
    "remove_factor",
    "rename_factor",
    "request_reset",
    "request_role",
    "revoke_apps",
    "sign_in",
    "sign_in_with_passkey",
    "sign_out",
    "start_enrolment",
    "start_passkey",
    "step_up_app",
    "switch_off",
    "switch_on",
    "unlock_session",
    "use_recovery_code",
    "withdraw_invitations",
    "withdraw_reset",
    "withdraw_role_request",
]
