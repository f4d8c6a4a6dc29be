"""Contract C4: nobody sees a record without a reason."""

from datetime import timedelta
from uuid import UUID

import pytest

from audit.ledger import Act, uuid7
from telehealth.accounts.access import Action, Resource
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.records import selectors
from telehealth.records.access import visible
from telehealth.records.models import CareRelationship, ClinicalResource, Patient
from telehealth.records.services import begin_care, end_care, grant_proxy, import_bundle, revoke_proxy
from tests.cast import Cast, id_of
from tests.people import Acts, ClientFor
from tests.records.bundles import bundle, observation, patient, stream

EVERYBODY = ("pia", "ned", "gus", "dr_cho", "dr_dee", "nan", "desk", "biller", "privacy", "admin", "system")
SEES_PIA = {"pia", "gus", "nan", "desk", "biller"}
SEES_NED = {"ned", "nan", "desk", "biller"}


def care(cast: Cast, **values: object) -> UUID:
    cause = uuid7()
    begin_care(
        patient_id=cast.pia_record.pk,
        practitioner_id=cast.cho.pk,
        source="appointment",
        source_id=cause,
        by=cast.desk,
        **values,  # type: ignore[arg-type]
    )
    return cause


def charts(cast: Cast, name: str) -> list[UUID]:
    query = visible(getattr(cast, name), Action.SEARCH, Resource.CLINICAL_RESOURCE, "")
    return list(Patient.objects.filter(query).values_list("pk", flat=True))


@pytest.mark.parametrize("name", EVERYBODY)
def test_whose_contact_data_each_of_the_cast_sees(name: str, cast: Cast) -> None:
    seen = set(selectors.patients_for(getattr(cast, name)))
    assert (cast.pia_record in seen, cast.ned_record in seen) == (name in SEES_PIA, name in SEES_NED)


@pytest.mark.parametrize("name", EVERYBODY)
def test_whose_chart_each_of_the_cast_sees_before_during_and_after_care(name: str, cast: Cast) -> None:
    own = {"pia": [cast.pia_record.pk], "gus": [cast.pia_record.pk], "ned": [cast.ned_record.pk]}.get(name, [])
    cared = [cast.pia_record.pk] if name in ("dr_cho", "nan") else own

    assert charts(cast, name) == own
    cause = care(cast)
    assert charts(cast, name) == cared
    end_care(source="appointment", source_id=cause, by=cast.desk)
    assert charts(cast, name) == own


def test_care_is_not_there_before_it_begins_nor_after_its_time(cast: Cast) -> None:
    cause = care(cast, ends_at=now() + timedelta(hours=1))
    relationship = CareRelationship.objects.get(source_id=cause)
    assert charts(cast, "dr_cho") == [cast.pia_record.pk]
    for starts, ends in ((timedelta(minutes=1), timedelta(hours=1)), (-timedelta(hours=2), -timedelta(seconds=1))):
        relationship.starts_at, relationship.ends_at = now() + starts, now() + ends
        relationship.save()
        assert charts(cast, "dr_cho") == []


def test_ending_one_cause_leaves_the_other(cast: Cast) -> None:
    first, _ = care(cast), care(cast)
    end_care(source="appointment", source_id=first, by=cast.desk)
    assert charts(cast, "dr_cho") == [cast.pia_record.pk]


def test_beginning_twice_for_one_cause_is_one_relationship(cast: Cast, acts: Acts) -> None:
    for hours in (1, 2):
        begin_care(
            patient_id=cast.pia_record.pk,
            practitioner_id=cast.cho.pk,
            source="appointment",
            source_id=cast.pia_record.pk,
            by=cast.desk,
            ends_at=now() + timedelta(hours=hours),
        )
    assert CareRelationship.objects.count() == 1
    assert CareRelationship.objects.get().ends_at > now() + timedelta(minutes=100)  # type: ignore[operator]
    assert acts() == [Act.CARE_BEGUN, Act.CARE_BEGUN]


def test_a_proxy_sees_nothing_once_the_grant_is_revoked_and_again_when_granted(cast: Cast, acts: Acts) -> None:
    grant = cast.pia_record.proxies.get()
    revoke_proxy(grant_id=grant.pk, by=cast.desk)
    assert not selectors.patients_for(cast.gus).exists() and charts(cast, "gus") == []
    again = grant_proxy(patient_id=cast.pia_record.pk, account_id=id_of(cast.gus), relationship="guardian", by=cast.desk)
    assert again.pk != grant.pk and charts(cast, "gus") == [cast.pia_record.pk]
    assert grant_proxy(patient_id=cast.pia_record.pk, account_id=id_of(cast.gus), relationship="guardian", by=cast.desk) == again
    assert acts() == [Act.PROXY_REVOKED, Act.PROXY_GRANTED]


@pytest.mark.parametrize("name", ["pia", "ned", "gus", "dr_cho", "nan", "biller", "admin"])
def test_only_the_desk_makes_a_guardian(name: str, cast: Cast) -> None:
    with pytest.raises(Missing):
        grant_proxy(patient_id=cast.pia_record.pk, account_id=id_of(cast.ned), relationship="guardian", by=getattr(cast, name))
    assert charts(cast, "gus") == [cast.pia_record.pk] and charts(cast, "ned") == [cast.ned_record.pk]


@pytest.mark.parametrize("name", ["ned", "dr_cho", "nan", "biller", "admin"])
def test_a_grant_is_revoked_by_nobody_whom_it_does_not_concern(name: str, cast: Cast) -> None:
    with pytest.raises(Missing):
        revoke_proxy(grant_id=cast.pia_record.proxies.get().pk, by=getattr(cast, name))
    assert charts(cast, "gus") == [cast.pia_record.pk]


@pytest.mark.parametrize("name", ["ned", "dr_dee"])
def test_not_yours_and_not_there_are_the_same_answer(name: str, cast: Cast, client_for: ClientFor) -> None:
    vera = patient()
    report = import_bundle(source=stream(bundle(vera, observation(vera))), by=cast.nan)
    client, resource = client_for(getattr(cast, name)), ClinicalResource.objects.get().pk
    nowhere = uuid7()
    for path in ("", "resources/", f"resources/{resource}/"):
        answers = [client.get(f"/api/v1/patients/{pk}/{path}") for pk in (report.patient, nowhere)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content


def test_a_resource_is_not_reached_through_somebody_elses_address(cast: Cast, client_for: ClientFor) -> None:
    vera = patient()
    import_bundle(source=stream(bundle(vera, observation(vera))), by=cast.nan)
    resource = ClinicalResource.objects.get().pk
    answer = client_for(cast.pia).get(f"/api/v1/patients/{cast.pia_record.pk}/resources/{resource}/")
    assert answer.status_code == 404


def test_pages_hold_and_count_only_what_is_ones_own(cast: Cast, client_for: ClientFor) -> None:
    for _ in range(3):
        import_bundle(source=stream(bundle(patient())), by=cast.nan)
    client = client_for(cast.pia)
    page = client.get("/api/v1/patients/?limit=1").json()
    assert ([row["id"] for row in page["results"]], page["next"]) == ([str(cast.pia_record.pk)], None)
    desk = client_for(cast.desk)
    first = desk.get("/api/v1/patients/?limit=2").json()
    assert first["next"]
    assert client.get(first["next"]).json()["results"] != desk.get(first["next"]).json()["results"]
    assert {row["id"] for row in client.get(first["next"]).json().get("results", [])} <= {str(cast.pia_record.pk)}
