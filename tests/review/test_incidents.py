"""An incident: everyone affected and nobody else, in what kinds of data, counted as the breach rule counts."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps

from audit.ledger import SYSTEM, Act, Actor, record, refuse, unit, uuid7
from audit.ledger.models import Entry
from audit.review import kinds, rules, selectors, services
from audit.review.errors import IncidentDecided, NoNoticeDue, NotSurveyed
from audit.review.models import Affected, Incident, Notice
from telehealth.core import now
from telehealth.core.errors import Missing, Refused
from telehealth.outbox.models import Message
from telehealth.records.models import ClinicalResource, Patient
from telehealth.vault.fields import sealed_fields_of
from telehealth.vault.models import RecordKey
from tests.cast import Cast, id_of, make_patient
from tests.people import Acts, ClientFor

pytestmark = pytest.mark.django_db
FACTORS = {"nature": "names", "recipient": "a stranger", "acquired": "viewed", "mitigation": "none"}


def look(by: Actor, *patients: Patient, field: str = "family") -> None:
    with unit(by, channel="REST"):
        for patient in Patient.objects.filter(pk__in=[each.pk for each in patients]):
            assert getattr(patient, field)


def incident_of(cast: Cast, kind: str, subject: str, minutes: int = 5) -> Incident:
    at = now()
    return services.open_incident(
        subject_kind=kind,
        subject=subject,
        starts_at=at - timedelta(minutes=minutes),
        ends_at=at + timedelta(minutes=minutes),
        discovered_on=at.date(),
        by=cast.privacy,
    )


def survey(cast: Cast, incident: Incident) -> Incident:
    return services.survey_incident(incident_id=incident.pk, by=cast.privacy)


def records_of(incident: Incident) -> set[Any]:
    return set(Affected.objects.filter(incident=incident).values_list("patient_id", flat=True))


@pytest.mark.parametrize("kind", ["account", "session", "client"])
def test_everyone_whom_the_subject_touched_and_nobody_else(cast: Cast, kind: str) -> None:
    thief = replace(cast.dr_dee, session="s1", client="an-app")
    colleague = replace(cast.dr_dee, session="s2", client="another-app") if kind != "account" else cast.dr_cho
    other = make_patient("Third", "Tom")
    look(thief, cast.pia_record)
    look(colleague, other)
    subject = {"account": str(thief.id), "session": "s1", "client": "an-app"}[kind]

    found = survey(cast, incident_of(cast, kind, subject))

    assert records_of(found) == {cast.pia_record.pk}
    assert found.people == 1


def test_from_to_has_both_its_ends_and_nothing_beyond(cast: Cast) -> None:
    look(cast.dr_dee, cast.pia_record)
    at = Entry.objects.filter(record_id=cast.pia_record.pk, actor_id=cast.dr_dee.id).latest("id").timestamp
    step = timedelta(milliseconds=1)
    periods = {"exactly": (at, at), "before": (at - timedelta(days=1), at - 2 * step), "after": (at + 2 * step, at + 3 * step)}
    people = {}
    for name, (starts_at, ends_at) in periods.items():
        times = {"starts_at": starts_at, "ends_at": ends_at, "discovered_on": at.date()}
        people[name] = survey(cast, Incident.objects.create(subject_kind="account", subject=str(cast.dr_dee.id), **times)).people
    assert people == {"exactly": 1, "before": 0, "after": 0}


def test_what_was_refused_showed_nothing_and_what_was_done_counts(cast: Cast) -> None:
    with unit(cast.dr_dee, channel="REST"):
        refuse(cast.dr_dee, "not_visible", record_id=cast.pia_record.pk)
        record(cast.dr_dee, Act.CARE_BEGUN, record_id=cast.ned_record.pk)
    found = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    assert records_of(found) == {cast.ned_record.pk}
    assert found.counts["kinds"] == {"activity": 1}


def test_kinds_of_data_are_of_what_was_opened(cast: Cast) -> None:
    made = [
        ClinicalResource.objects.create(patient=cast.pia_record, type=kind, body="{}", body_key=b"k")
        for kind in ("Condition", "Observation", "Basic")
    ]
    look(cast.dr_dee, cast.pia_record, field="birth_date")
    with unit(cast.dr_dee, channel="REST"):
        assert all(ClinicalResource.objects.get(pk=each.pk).body for each in made)

    found = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))

    assert found.counts["kinds"] == {"birth_date": 1, "clinical": 1, "diagnoses": 1, "results": 1}
    assert Affected.objects.get(incident=found).kinds == ["birth_date", "clinical", "diagnoses", "results"]


def test_states_are_counted_however_they_are_written(cast: Cast) -> None:
    written = ["MA", "ma", "Massachusetts", " massachusetts ", "NH", "", "Atlantis"]
    people = [make_patient(f"F{number}", "G", address={"state": state}) for number, state in enumerate(written)]
    people.append(make_patient("F", "Nowhere", address=None))
    look(cast.dr_dee, *people)
    found = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    assert (found.people, found.counts["states"]) == (8, {"": 3, "MA": 4, "NH": 1})


def test_a_person_with_two_records_is_one_person(cast: Cast) -> None:
    double = make_patient("Quill", "Pia", mrn="double", link=cast.pia_record, address=None)
    look(cast.dr_dee, cast.pia_record, double)
    found = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    assert (found.people, found.counts["states"]) == (1, {"MA": 1})
    assert records_of(found) == {cast.pia_record.pk, double.pk}


def test_where_people_live_is_opened_on_record_once_per_survey(cast: Cast) -> None:
    look(cast.dr_dee, cast.pia_record)
    incident = incident_of(cast, "account", str(cast.dr_dee.id))
    with unit(cast.privacy, channel="REST", reason="incident"):
        survey(cast, incident)
    opened = Entry.objects.get(act=Act.RECORD_OPENED, actor_id=cast.privacy.id, record_id=cast.pia_record.pk)
    assert opened.detail == f'{{"records.Patient:{cast.pia_record.pk}":["address"]}}'
    surveyed = Entry.objects.get(act=Act.INCIDENT_SURVEYED)
    assert surveyed.detail == '{"people":1,"records":1}'


def test_a_record_whose_key_is_gone_is_counted_and_gets_no_new_key(cast: Cast) -> None:
    look(cast.dr_dee, cast.pia_record, cast.ned_record)
    RecordKey.objects.filter(record_id=cast.ned_record.pk).delete()
    found = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    assert (found.people, found.counts["states"]) == (2, {"": 1, "MA": 1})
    assert not RecordKey.objects.filter(record_id=cast.ned_record.pk).exists()


def test_499_500_501_people_through_the_log(cast: Cast) -> None:
    patients = Patient.objects.bulk_create(
        Patient(family="F", given="G", mrn=f"m{number}", address={"state": "MA"}) for number in range(501)
    )
    incident = incident_of(cast, "account", str(cast.dr_dee.id))
    told = {}
    for first, last in ((0, 499), (499, 500), (500, 501)):
        look(cast.dr_dee, *patients[first:last])
        found = survey(cast, incident)
        told[found.people] = {duty.notice: duty.due_on for duty in selectors.duties_of(found)}
    soon = incident.discovered_on + timedelta(days=60)
    assert list(told) == [499, 500, 501]
    assert told[499][Notice.SECRETARY] > soon and Notice.MEDIA not in told[499]
    assert told[500] == {Notice.INDIVIDUALS: soon, Notice.SECRETARY: soon}
    assert told[501] == {Notice.INDIVIDUALS: soon, Notice.MEDIA: soon, Notice.SECRETARY: soon}
    assert Affected.objects.filter(incident=incident).count() == 501


def test_from_the_discovery_to_the_last_notice_over_rest(cast: Cast, client_for: ClientFor, acts: Acts) -> None:
    look(cast.dr_dee, cast.pia_record)
    officer, at = client_for(cast.privacy), now()
    given = {
        "subject_kind": "account",
        "subject": str(cast.dr_dee.id),
        "starts_at": (at - timedelta(minutes=1)).isoformat(),
        "ends_at": (at + timedelta(minutes=1)).isoformat(),
        "discovered_on": at.date().isoformat(),
        "summary": "A laptop was stolen",
    }
    made = officer.post("/api/v1/incidents/", given)
    here = f"/api/v1/incidents/{made.json()['id']}/"
    assert (made.status_code, made.json()["people"], made.json()["duties"]) == (201, None, [])
    early = officer.post(f"{here}assessment/", {"verdict": "breach", "assessment": FACTORS})
    assert (early.status_code, early.json()["code"]) == (409, "not_surveyed")
    surveyed = officer.post(f"{here}survey/").json()
    assert (surveyed["people"], surveyed["states"], surveyed["kinds"]) == (1, {"MA": 1}, {"name": 1})
    (person,) = officer.get(f"{here}affected/").json()["results"]
    assert (person["patient"], person["state"], person["kinds"]) == (str(cast.pia_record.pk), "MA", ["name"])
    assessed = officer.post(f"{here}assessment/", {"verdict": "breach", "assessment": FACTORS})
    assert [duty["notice"] for duty in assessed.json()["duties"]] == ["individuals", "secretary"]
    assert officer.post(f"{here}survey/").json()["code"] == "incident_decided"
    told = officer.post(f"{here}notices/", {"notice": "individuals", "told_on": at.date().isoformat()}).json()
    assert told["duties"][0]["told_on"] == at.date().isoformat()
    assert officer.post(f"{here}notices/", {"notice": "media", "told_on": at.date().isoformat()}).json()["code"] == "no_notice_due"
    ahead = officer.post(f"{here}notices/", {"notice": "individuals", "told_on": (at.date() + timedelta(days=2)).isoformat()})
    assert ahead.json()["code"] == "date_ahead"
    assert officer.get(here).json()["summary"] == "A laptop was stolen"
    assert officer.get("/api/v1/incidents/").json()["results"][0]["id"] == made.json()["id"]
    assert {Act.INCIDENT_OPENED, Act.INCIDENT_SURVEYED, Act.INCIDENT_ASSESSED, Act.INCIDENT_NOTICE_GIVEN} <= set(acts())
    assert not Entry.objects.filter(detail__contains="laptop").exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"subject": "dr dee"}, "subject_unknown"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "period_backwards"),
        ({"discovered_on": "2999-01-01"}, "date_ahead"),
    ],
)
def test_an_incident_that_cannot_be_meant(cast: Cast, client_for: ClientFor, wrong: dict[str, str], code: str) -> None:
    at = now()
    given = {"subject_kind": "account", "subject": str(cast.dr_dee.id), "discovered_on": at.date().isoformat()}
    given |= {"starts_at": (at - timedelta(days=1)).isoformat(), "ends_at": at.isoformat()}
    reply = client_for(cast.privacy).post("/api/v1/incidents/", given | wrong)
    assert (reply.status_code, reply.json()["code"]) == (400, code)


def test_only_a_privacy_officer(cast: Cast) -> None:
    incident = incident_of(cast, "account", str(cast.dr_dee.id))
    for name, by in cast:
        if name != "privacy":
            assert rules.may_open_incident(by, None) is False
            assert rules.may_export_entries(by, None) is False
            assert not selectors.incidents_for(by).exists()
            with pytest.raises(Refused):
                incident_of(replace(cast, privacy=by), "account", str(cast.dr_dee.id))
            with pytest.raises(Missing):
                services.survey_incident(incident_id=incident.pk, by=by)
    assert rules.may_open_incident(cast.privacy, None) is True
    assert rules.may_export_entries(cast.privacy, None) is True


def test_what_an_assessment_stands_on_does_not_move(cast: Cast) -> None:
    incident = incident_of(cast, "account", str(cast.dr_dee.id))
    with pytest.raises(NotSurveyed):
        services.assess_incident(incident_id=incident.pk, verdict="breach", assessment=FACTORS, by=cast.privacy)
    survey(cast, incident)
    services.assess_incident(incident_id=incident.pk, verdict="low_probability", assessment=FACTORS, by=cast.privacy)
    for again in (
        lambda: survey(cast, incident),
        lambda: services.assess_incident(incident_id=incident.pk, verdict="breach", assessment=FACTORS, by=cast.privacy),
    ):
        with pytest.raises(IncidentDecided):
            again()
    with pytest.raises(NoNoticeDue):
        services.note_notice(incident_id=incident.pk, notice="individuals", told_on=now().date(), by=cast.privacy)


def test_the_clock_reminds_the_officers_on_its_days_once_each(cast: Cast) -> None:
    incident = incident_of(cast, "account", str(cast.dr_dee.id))
    told = []
    for days in (0, 29, 30, 31, 45, 56, 57):
        incident.discovered_on = now().date() - timedelta(days=days)
        incident.save(update_fields=["discovered_on"])
        told.append(services.remind_of_incidents(by=SYSTEM))
    assert told == [0, 0, 1, 0, 1, 1, 0]
    messages = Message.objects.filter(kind="incident_due")
    assert set(messages.values_list("person_id", flat=True)) == {id_of(cast.privacy)}
    assert messages.count() == 3


def test_a_settled_incident_reminds_nobody(cast: Cast) -> None:
    incident = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    services.assess_incident(incident_id=incident.pk, verdict="good_faith", assessment=FACTORS, by=cast.privacy)
    Incident.objects.filter(pk=incident.pk).update(discovered_on=now().date() - timedelta(days=50))
    assert services.remind_of_incidents(by=SYSTEM) == 0


def test_every_sealed_field_of_a_record_has_its_kind() -> None:
    known = {"records.Patient", kinds.RESOURCE, *kinds.MODELS}
    for model in apps.get_models():
        of_a_record = [field for field in sealed_fields_of(model) if field.key is None and field.model is model]
        if of_a_record:
            assert model._meta.label in known, model._meta.label
    assert set(kinds.PATIENT) == {field.name for field in sealed_fields_of(Patient)}
    assert {each for told in kinds.PATIENT.values() for each in told} | set(kinds.MODELS.values()) <= set(kinds.KINDS)
    assert set(kinds.RESOURCES.values()) <= set(kinds.KINDS)


def test_more_people_than_a_statement_takes_parameters(transactional_db: None) -> None:
    """A whole clinic taken along: PostgreSQL takes 65,535 parameters, and a survey has no upper bound."""
    many = [uuid7() for _ in range(70_000)]
    assert selectors.people_of(many) == {each: each for each in many}
    opened = [json.dumps({f"records.ClinicalResource:{each}": ["body"] for each in many[at : at + 100]}) for at in range(0, 70_000, 100)]
    assert selectors.types_of(opened) == {}
