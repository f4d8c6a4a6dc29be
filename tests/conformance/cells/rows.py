"""Which thing stands in each address's path, which body it gets, and who of those whom the table lets through."""

from collections.abc import Mapping
from typing import Final

from audit.ledger import uuid7
from telehealth.core import now
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.parts import (
    CHECKED,
    DECLARE,
    FACTORS,
    GOING,
    IF_MATCH,
    IN_AN_HOUR,
    ORDER,
    Row,
    arranges,
    booking,
    called,
    checks_in,
    conducts,
    decides,
    declared_it,
    declared_or_reviews,
    ends_grants,
    fixed,
    in_demonstration,
    kept_note,
    moved,
    put_elsewhere,
    sees_the_visit,
    soon,
    takes_part,
    to,
)
from tests.conformance.routes import Route
from tests.consults.stage import CHECK_IN, TEXT

ROWS: Final[Mapping[str, Row]] = {
    "delete api/v1/sessions/<uuid:session_id>/": Row(("session",), rule=lambda who, record: who.owns == record),
    "post api/v1/outbox/<uuid:pk>/send-again/": Row(("message",)),
    "get api/v1/patients/<uuid:pk>/": Row(("patient",)),
    "get api/v1/patients/<uuid:pk>/billing/": Row(("patient",)),
    "get api/v1/patients/<uuid:pk>/resources/": Row(("patient",)),
    "get api/v1/patients/<uuid:pk>/resources/<uuid:resource>/": Row(("patient", "resource")),
    "post api/v1/patients/<uuid:pk>/invitations/": Row(("patient",), fixed(email="new@people.example", relationship="guardian")),
    "get api/v1/patients/<uuid:pk>/consents/": Row(("patient",)),
    "post api/v1/patients/<uuid:pk>/consents/": Row(
        ("patient",), fixed(category="HIV", recipient={"kind": "care_team"}, text_version="1", scope="treatment")
    ),
    "get api/v1/patients/<uuid:pk>/contact/": Row(("patient",)),
    "patch api/v1/patients/<uuid:pk>/contact/": Row(("patient",), fixed(care="email")),
    "post api/v1/patients/<uuid:pk>/contact/consents/": Row(("patient",), fixed(purposes=["care"], verdict="given")),
    "post api/v1/consents/<uuid:pk>/withdraw/": Row(("consent",)),
    "get api/v1/emergency-accesses/<uuid:pk>/": Row(("emergency",), rule=declared_or_reviews),
    "post api/v1/emergency-accesses/<uuid:pk>/end/": Row(("emergency",), rule=declared_it),
    "get api/v1/patients/<uuid:pk>/staff-records/": Row(("patient",)),
    "post api/v1/patients/<uuid:pk>/staff-records/": Row(("patient",), lambda c, r: {"account": c.accounts["nan"]}),
    "delete api/v1/staff-records/<uuid:pk>/": Row(("staff_record",)),
    "get api/v1/patients/<uuid:pk>/care/": Row(("patient",)),
    "post api/v1/patients/<uuid:pk>/care/": Row(("patient",), to("practitioner")),
    "delete api/v1/care-relationships/<uuid:pk>/": Row(("care",)),
    "get api/v1/practitioners/<uuid:pk>/covering/": Row(("practitioner",), rule=arranges),
    "post api/v1/practitioners/<uuid:pk>/covering/": Row(("practitioner",), lambda c, r: soon(covering=c.doctors["dr_els"].pk), arranges),
    "delete api/v1/coverings/<uuid:pk>/": Row(("covering",), rule=arranges),
    "post api/v1/practitioners/<uuid:pk>/hand-over/": Row(("practitioner",), to("to"), arranges),
    "get api/v1/patients/<uuid:pk>/proxies/": Row(("patient",)),
    "post api/v1/patients/<uuid:pk>/proxies/": Row(("patient",), fixed(email="new@people.example", scopes=["visits"]), decides),
    "delete api/v1/proxies/<uuid:pk>/": Row(("grant:viv",), rule=lambda who, r: ends_grants(who, r) or who.name == "viv"),
    "get api/v1/audit/entries/<uuid:pk>/proof/": Row(("entry",), sealed=True),
    "get api/v1/patients/<uuid:pk>/accesses/": Row(("patient",)),
    "get api/v1/patients/<uuid:pk>/accesses/proofs/": Row(("patient",), sealed=True),
    "get api/v1/reviews/<uuid:pk>/": Row(("finding",)),
    "post api/v1/reviews/<uuid:pk>/close/": Row(("finding",), fixed(verdict="justified", note="x")),
    "get api/v1/patients/<uuid:pk>/disclosures/": Row(("patient",)),
    "post api/v1/patients/<uuid:pk>/disclosures/": Row(
        ("patient",), fixed(recipient={"name": "Court"}, what="x", purpose="y", basis="required_by_law")
    ),
    "post api/v1/patients/<uuid:pk>/disclosures/exports/": Row(("patient",), fixed(format="csv")),
    "get api/v1/incidents/<uuid:pk>/": Row(("incident",)),
    "get api/v1/incidents/<uuid:pk>/affected/": Row(("incident",)),
    "post api/v1/incidents/<uuid:pk>/assessment/": Row(("incident",), fixed(verdict="breach", assessment=FACTORS)),
    "post api/v1/incidents/<uuid:pk>/exports/": Row(("incident",), fixed(**GOING)),
    "post api/v1/incidents/<uuid:pk>/notices/": Row(("incident",), fixed(notice="individuals", told_on="2026-01-01")),
    "post api/v1/incidents/<uuid:pk>/survey/": Row(("incident",)),
    "get api/v1/appointments/<uuid:pk>/": Row(("appointment",)),
    "post api/v1/appointments/<uuid:pk>/cancel/": Row(("later",), fixed(reason="pat")),
    "post api/v1/appointments/<uuid:pk>/confirm/": Row(("later",)),
    "post api/v1/appointments/<uuid:pk>/release/": Row(("held",)),
    "get api/v1/waitlist/<uuid:pk>/": Row(("waitlist",)),
    "post api/v1/waitlist/<uuid:pk>/withdraw/": Row(("waitlist",)),
    "post api/v1/waitlist-offers/<uuid:pk>/accept/": Row(("offer",)),
    "post api/v1/waitlist-offers/<uuid:pk>/decline/": Row(("offer",)),
    "post api/v1/appointments/<uuid:pk>/reschedule/": Row(("later",), moved, headers=IF_MATCH),
    "delete api/v1/availability/<uuid:pk>/": Row(("hours",)),
    "delete api/v1/availability-exceptions/<uuid:pk>/": Row(("exception",)),
    "delete api/v1/calendar-feeds/<uuid:pk>/": Row(("feed",), rule=arranges),
    "delete api/v1/busy-calendars/<uuid:pk>/": Row(("busy_calendar",), rule=arranges),
    "get api/v1/appointment-series/<uuid:pk>/": Row(("series",)),
    "post api/v1/appointment-series/<uuid:pk>/cancel/": Row(("series",), fixed(reason="pat")),
    "post api/v1/practitioners/<uuid:pk>/reassign/": Row(("practitioner",), lambda c, r: {"to": [c.doctors["dr_els"].pk]}),
    "get api/v1/group-visits/<uuid:pk>/": Row(("group_visit",)),
    "post api/v1/group-visits/<uuid:pk>/cancel/": Row(("group_visit",), fixed(reason="prov")),
    "patch api/v1/bookable-resources/<uuid:pk>/": Row(("room",), fixed(is_active=False)),
    "get calendar/appointments/<uuid:appointment_id>/": Row(("later",)),
    "post calendar/appointments/<uuid:appointment_id>/move/": Row(("later",), put_elsewhere),
    "post calendar/appointments/<uuid:appointment_id>/confirm/": Row(("held",)),
    "post calendar/appointments/<uuid:appointment_id>/release/": Row(("held",)),
    "get calendar/booking/<uuid:patient_id>/": Row(("patient",)),
    "post calendar/booking/<uuid:patient_id>/": Row(("patient",), called),
    "post calendars/busy/<uuid:calendar_id>/remove/": Row(("busy_calendar",), rule=arranges),
    "get api/v1/visits/<uuid:pk>/": Row(("visit",)),
    "post api/v1/visits/<uuid:pk>/check-in/": Row(("visit",), fixed(**CHECK_IN), checks_in),
    "post api/v1/visits/<uuid:pk>/admit/": Row(("visit",), rule=conducts),
    "post api/v1/visits/<uuid:pk>/hold/": Row(("visit",), rule=conducts),
    "post api/v1/visits/<uuid:pk>/remove/": Row(("visit",), rule=conducts),
    "post api/v1/visits/<uuid:pk>/complete/": Row(("visit",), rule=conducts),
    "post api/v1/visits/<uuid:pk>/leave/": Row(("visit",), rule=takes_part),
    "post api/v1/visits/<uuid:pk>/tickets/": Row(("visit",), rule=takes_part),
    "get api/v1/visits/<uuid:pk>/notes/": Row(("visit",)),
    "post api/v1/visits/<uuid:pk>/notes/": Row(("visit",), fixed(**TEXT), conducts),
    "get api/v1/visits/<uuid:pk>/summary/": Row(("done",)),
    "get api/v1/notes/<uuid:pk>/": Row(("note",)),
    "put api/v1/notes/<uuid:pk>/": Row(("draft",), fixed(**TEXT), conducts, IF_MATCH),
    "post api/v1/notes/<uuid:pk>/sign/": Row(("draft",), rule=conducts),
    "post api/v1/notes/<uuid:pk>/addenda/": Row(("note",), fixed(**TEXT), conducts),
    "get api/v1/prescriptions/<uuid:pk>/": Row(("prescription",)),
    "post api/v1/prescriptions/<uuid:pk>/cancel/": Row(("order",), rule=conducts),
    "post api/v1/prescriptions/<uuid:pk>/sign/": Row(("order",), fixed(code="000000"), conducts),
    "get emergency/<uuid:patient_id>/": Row(("patient",), blind=True),
    "post emergency/<uuid:patient_id>/": Row(("patient",), fixed(**DECLARE)),
    "get emergency/<uuid:patient_id>/record/": Row(("patient",), rule=declared_it),
    "post emergency/<uuid:emergency_id>/end/": Row(("emergency",), rule=declared_it),
    "get desk/patients/<uuid:patient_id>/": Row(("patient",)),
    "get desk/patients/<uuid:patient_id>/invite/": Row(("patient",)),
    "post desk/patients/<uuid:patient_id>/invite/": Row(("patient",), fixed(email="new@people.example", relationship="guardian")),
    "get desk/patients/<uuid:patient_id>/staff/": Row(("patient",)),
    "post desk/patients/<uuid:patient_id>/staff/": Row(("patient",), lambda c, r: {"account": c.accounts["nan"]}),
    "get patients/<uuid:patient_id>/banner/": Row(("patient",)),
    "get patients/<uuid:patient_id>/consents/": Row(("patient",)),
    "post patients/<uuid:patient_id>/consents/": Row(("patient",), fixed(category="HIV", recipient="care_team", agreed="on")),
    "post patients/<uuid:patient_id>/consents/<uuid:consent_id>/withdraw/": Row(("patient", "consent")),
    "get patients/<uuid:patient_id>/booking/": Row(("patient",)),
    "post patients/<uuid:patient_id>/booking/": Row(("patient",), booking),
    "get today/visits/<uuid:visit_id>/": Row(("visit",)),
    "get visits/<uuid:visit_id>/": Row(("visit",), rule=conducts),
    "post visits/<uuid:visit_id>/admit/": Row(("visit",), rule=conducts),
    "post visits/<uuid:visit_id>/complete/": Row(("visit",), rule=conducts),
    "get visits/<uuid:visit_id>/finish/": Row(("visit",)),
    "post visits/<uuid:visit_id>/hold/": Row(("visit",), rule=conducts),
    "get visits/<uuid:visit_id>/lobby/": Row(("visit",)),
    "get visits/<uuid:visit_id>/note/": Row(("visit",), rule=sees_the_visit),
    "post visits/<uuid:visit_id>/note/": Row(("visit",), kept_note, conducts),
    "post visits/<uuid:visit_id>/note/sign/": Row(("visit",), kept_note, conducts),
    "get visits/<uuid:visit_id>/waiting/": Row(("visit",)),
    "get dev/patient/appointments/<uuid:appointment_id>/": Row(("appointment",), rule=in_demonstration),
    "post dev/patient/appointments/<uuid:appointment_id>/": Row(("appointment",), fixed(**CHECKED), in_demonstration),
    "get visits/<uuid:visit_id>/prescriptions/": Row(("visit",)),
    "post visits/<uuid:visit_id>/prescriptions/": Row(("visit",), fixed(**ORDER), conducts),
    "post prescriptions/<uuid:prescription_id>/sign/": Row(("order",), fixed(code="000000"), conducts),
    "get prescriptions/<uuid:prescription_id>/status/": Row(("prescription",)),
}

# Posts whose body names the thing: the same question, asked through a field.
IN_BODIES: Final[Mapping[str, Row]] = {
    "post api/v1/visits/": Row(("appointment",), lambda c, r: {"appointment": c.things[r]["appointment"]}),
    "post api/v1/appointments/": Row(
        ("patient",),
        lambda c, r: {
            "patient": c.things[r]["patient"],
            "practitioner": c.doctors["dr_els"].pk,
            "visit_type": "video-10",
            "starts_at": (now() + IN_AN_HOUR).isoformat(),
        },
    ),
    "post api/v1/appointment-series/": Row(
        ("patient",),
        lambda c, r: {
            "patient": c.things[r]["patient"],
            "practitioner": c.doctors["dr_els"].pk,
            "visit_type": "video-10",
            "starts_at": (now() + IN_AN_HOUR).isoformat(),
            "rule": "FREQ=WEEKLY;COUNT=2",
        },
    ),
    "post api/v1/waitlist/": Row(
        ("patient",), lambda c, r: {"patient": c.things[r]["patient"], "visit_type": "video-10", "latest": (now() + IN_AN_HOUR).isoformat()}
    ),
    "post api/v1/prescriptions/": Row(("visit",), lambda c, r: {"visit": c.things[r]["visit"], **ORDER}, conducts),
    "post api/v1/emergency-accesses/": Row(("patient",), lambda c, r: {"patient": c.things[r]["patient"], **DECLARE}),
}


def name_of(route: Route) -> str:
    return f"{route.method} {route.route}"


def path_of(clinic: Clinic, route: Route, record: str) -> str:
    """The address with that record's things in its gaps; with ids of nothing for the record ""."""
    text = route.route
    for thing in (ROWS[name_of(route)].things) if name_of(route) in ROWS else ():
        before, _, rest = text.partition("<")
        text = f"{before}{clinic.things[record][thing] if record else uuid7()}{rest.partition('>')[2]}"
    return "/" + text
