"""Every write of this app."""

from telehealth.accounts.services.apps import register_app, revoke_apps
from telehealth.accounts.services.factors import confirm_enrolment, prove, start_enrolment, step_up_app
from telehealth.accounts.services.forgetting import forget_account
from telehealth.accounts.services.invitations import accept, create_invitation, withdraw_invitations
from telehealth.accounts.services.people import create_account, recover, switch_off, switch_on
from telehealth.accounts.services.sessions import close_everything, end_other_sessions, end_session, open_session
from telehealth.accounts.services.signing_in import sign_in, sign_out
from telehealth.accounts.services.staff import change_role, invite_staff, reset_staff

__all__ = [
    "accept",
    "change_role",
    "close_everything",
    "confirm_enrolment",
    "create_account",
    "create_invitation",
    "end_other_sessions",
    "end_session",
    "forget_account",
    "invite_staff",
    "open_session",
    "prove",
    "recover",
    "register_app",
    "reset_staff",
    "revoke_apps",
    "sign_in",
    "sign_out",
    "start_enrolment",
    "step_up_app",
    "switch_off",
    "switch_on",
    "withdraw_invitations",
]
