"""Every write to records, by subject."""

from telehealth.records.services.care import assign_care, begin_care, cover, end_assignment, end_care, end_covering, end_work, hand_over
from telehealth.records.services.catching_up import catch_up
from telehealth.records.services.consents import give_consent, withdraw_consent
from telehealth.records.services.destroying import (
    approve_destruction,
    destroy_record,
    lift_hold,
    place_hold,
    request_destruction,
    withdraw_destruction,
)
from telehealth.records.services.emergency import begin_emergency, end_emergency, locate
from telehealth.records.services.importing import import_bundle
from telehealth.records.services.inviting import attach_account, invite
from telehealth.records.services.labelling import label_again
from telehealth.records.services.licensing import end_exception, end_license, give_exception, give_license
from telehealth.records.services.proxies import delegate, follow_age, grant_proxy, revoke_proxy
from telehealth.records.services.searching import search_patients
from telehealth.records.services.staff_records import link_staff, unlink_staff

__all__ = [
    "approve_destruction",
    "assign_care",
    "attach_account",
    "begin_care",
    "begin_emergency",
    "catch_up",
    "cover",
    "delegate",
    "destroy_record",
    "end_assignment",
    "end_care",
    "end_covering",
    "end_emergency",
    "end_exception",
    "end_license",
    "end_work",
    "follow_age",
    "give_consent",
    "give_exception",
    "give_license",
    "grant_proxy",
    "hand_over",
    "import_bundle",
    "invite",
    "label_again",
    "lift_hold",
    "link_staff",
    "locate",
    "place_hold",
    "request_destruction",
    "revoke_proxy",
    "search_patients",
    "unlink_staff",
    "withdraw_consent",
    "withdraw_destruction",
]
