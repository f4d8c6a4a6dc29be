import copy
import json
from pathlib import Path
from typing import Any

import pytest

from audit.ledger import Act, Actor
from telehealth.core.errors import Refused
from telehealth.records.errors import (
    IdentifiersDisagree,
    MalformedBundle,
    NoPatient,
    SameFullUrlTwice,
    SeveralPatients,
)
from telehealth.records.importing.report import Report
from telehealth.records.models import (
    ClinicalResource,
    ClinicalResourceVersion,
    Location,
    Organization,
    Patient,
    PatientIdentifier,
    Practitioner,
)
from telehealth.records.services import import_bundle
from tests.cast import Cast
from tests.people import Acts
from tests.records.bundles import SAMPLES, Entry, bundle, entry, observation, patient, stream


def imported(content: Any, by: Actor) -> Report:
    return import_bundle(source=stream(content), by=by)


def rows() -> list[int]:
    tables = (Patient, PatientIdentifier, Practitioner, Organization, Location, ClinicalResource, ClinicalResourceVersion)
    return [table.objects.count() for table in tables]


def accounted(report: Report) -> int:
    return sum(counts.total() for counts in (report.stored, report.updated, report.unchanged, report.refused))


@pytest.mark.skipif(not SAMPLES, reason="the sample patients are not beside this repository")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name.split("_")[0])
def test_every_resource_of_a_sample_is_accounted_for_and_a_repeat_changes_nothing(path: Path, cast: Cast) -> None:
    entries = json.loads(path.read_bytes())["entry"]

    first = imported(path.read_bytes(), cast.nan)
    kept = rows()
    again = imported(path.read_bytes(), cast.nan)

    assert accounted(first) == first.stored.total() == len(entries)
    assert again.unchanged == first.stored and accounted(again) == len(entries)
    assert rows() == kept
    assert again.patient == first.patient and not again.created
    assert first.noted["Practitioner", "npi_invalid"] and not first.deceased


def test_the_patient_is_described_by_the_bundle(cast: Cast) -> None:
    report = imported(bundle(patient()), cast.nan)
    vera = Patient.objects.get(pk=report.patient)

    assert (vera.family, vera.given, vera.birth_date, vera.gender) == ("Canary", "Vera M", "1980-05-17", "female")
    assert (vera.phone, vera.email, vera.language) == ("617-555-0177", "vera@example.org", "")
    assert vera.address == {"line": "7 Finch Lane", "city": "Quincy", "state": "MA", "postal_code": "02169", "country": ""}
    assert vera.mrn.startswith("V-")
    assert json.loads(vera.body)["id"] == str(vera.pk)


def test_references_lead_to_our_ids_wherever_they_stand(cast: Cast) -> None:
    vera = patient()
    doctor = entry("Practitioner", identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": "40"}], name=[{"family": "Fay"}])
    seen = observation(
        vera,
        performer=[{"reference": doctor["fullUrl"]}, {"reference": "Practitioner?identifier=urn:x|1"}],
        contained=[{"resourceType": "Device", "id": "d"}],
        device={"reference": "#d"},
        text={"status": "generated", "div": f'<div><a href="{vera["fullUrl"]}">her</a></div>'},
        identifier=[{"system": "urn:ietf:rfc:3986", "value": vera["fullUrl"]}],
    )
    report = imported(bundle(seen, vera, doctor), cast.nan)

    body = json.loads(ClinicalResource.objects.get(type="Observation").body)
    ours = f"Patient/{report.patient}"
    assert body["subject"]["reference"] == ours
    assert body["performer"][0]["reference"] == f"Practitioner/{Practitioner.objects.get(family='Fay').pk}"
    assert body["device"]["reference"] == "#d"
    assert body["text"]["div"] == f'<div><a href="{ours}">her</a></div>'
    assert body["identifier"][0]["value"] == vera["fullUrl"]
    assert body["performer"][1]["reference"] == "Practitioner?identifier=urn:x|1"
    assert report.noted["Observation", "unresolved_reference"] == 1


def test_numbers_keep_their_digits(cast: Cast) -> None:
    vera = patient()
    raw = json.dumps(bundle(vera, observation(vera, valueQuantity={"value": 0, "code": "0"})))
    precise = raw.replace('"value": 0', '"value": 1.50, "low": 100000000000000000000000000001, "high": 1E-7')
    imported(precise.encode(), cast.nan)

    body = ClinicalResource.objects.get().body
    assert '"value":1.50' in body and '"low":100000000000000000000000000001' in body and '"high":1E-7' in body


def test_a_changed_resource_becomes_a_new_version_and_the_old_one_is_kept(cast: Cast) -> None:
    vera = patient()
    first, second = observation(vera, status="preliminary"), observation(vera)
    imported(bundle(vera, first, second), cast.nan)
    first["resource"]["status"] = "final"
    report = imported(bundle(vera, first, second), cast.nan)

    assert (report.updated, report.unchanged["Observation"]) == ({"Observation": 1}, 1)
    changed = ClinicalResource.objects.get(version=2)
    assert (changed.status, json.loads(changed.body)["meta"]["versionId"]) == ("final", "2")
    kept = ClinicalResourceVersion.objects.get()
    assert (kept.version, kept.resource, json.loads(kept.body)["status"]) == (1, changed, "preliminary")


def test_a_changed_patient_becomes_a_new_version_and_can_be_found_by_either_number(cast: Cast) -> None:
    vera = patient()
    first = imported(bundle(vera), cast.nan)
    moved = copy.deepcopy(vera)
    moved["fullUrl"] = "urn:uuid:another"
    moved["resource"]["telecom"] = [{"system": "phone", "value": "212-555-0199"}]
    moved["resource"]["identifier"].append({"system": "urn:example:other", "value": "77"})
    report = imported(bundle(moved), cast.nan)

    assert (report.patient, report.updated) == (first.patient, {"Patient": 1})
    now = Patient.objects.get(pk=first.patient)
    assert (now.version, now.phone) == (2, "212-555-0199")
    kept = ClinicalResourceVersion.objects.get(patient=now)
    assert kept.resource is None and "617-555-0177" in kept.body
    assert now.identifiers.count() == 2


def test_without_identifiers_the_address_tells_who_it_is(cast: Cast) -> None:
    vera = patient(identifier=[])
    nameless = observation(vera)
    del nameless["fullUrl"]
    first = imported(bundle(vera, nameless), cast.nan)
    again = imported(bundle(vera, nameless), cast.nan)

    assert first.patient == again.patient
    assert again.unchanged == {"Patient": 1, "Observation": 1}
    assert Patient.objects.get(pk=first.patient).mrn.startswith("T")


def test_twins_without_a_name_are_two_and_stay_two(cast: Cast) -> None:
    vera = patient()
    twin = {"resource": observation(vera)["resource"]}
    first = imported(bundle(vera, twin, twin), cast.nan)
    again = imported(bundle(vera, twin, twin), cast.nan)

    assert first.stored["Observation"] == again.unchanged["Observation"] == ClinicalResource.objects.count() == 2


def test_the_same_identifier_under_a_new_address_is_the_same_resource(cast: Cast) -> None:
    vera = patient()
    claim = entry(
        "Claim",
        patient={"reference": vera["fullUrl"]},
        identifier=[{"system": "urn:groups", "value": "9"}, {"system": "urn:claims", "value": "1"}],
    )
    other = copy.deepcopy(claim)
    other["resource"]["identifier"][1]["value"] = "2"
    other["fullUrl"] = "urn:uuid:2"
    imported(bundle(vera, claim, other), cast.nan)
    claim["fullUrl"], other["fullUrl"] = "urn:uuid:3", "urn:uuid:4"
    report = imported(bundle(vera, other, claim), cast.nan)

    assert report.unchanged["Claim"] == 2 and ClinicalResource.objects.count() == 2


def test_what_cannot_be_stored_is_reported_by_count_and_reason(cast: Cast) -> None:
    vera = patient()
    deleted = observation(vera)
    deleted["request"] = {"method": "DELETE", "url": "Observation/1"}
    strange = [entry("Horoscope"), entry("Horoscope"), deleted, observation(vera, subject={"reference": "Patient/somebody-else"})]
    report = imported(bundle(vera, *strange), cast.nan)

    assert report.problems() == [
        {"type": "?", "reason": "unknown_type", "count": 2, "kept": False},
        {"type": "Observation", "reason": "about_another_patient", "count": 1, "kept": False},
        {"type": "Observation", "reason": "method_not_supported", "count": 1, "kept": False},
    ]
    assert accounted(report) == 5 and not ClinicalResource.objects.exists()


def test_messy_values_are_kept_and_reported(cast: Cast) -> None:
    vera = patient(birthDate="in spring", name="Vera", telecom={"x": 1}, address=[3], identifier=[{"value": 40}, 7, None])
    doctor = entry("Practitioner", identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": "40"}], name=[{"family": "Fay\0"}])
    odd = observation(vera, status={"a": 1}, effectiveDateTime="yesterday", note=[{"text": "a\0b"}])
    report = imported(bundle(vera, doctor, odd), cast.nan)

    assert report.stored == {"Patient": 1, "Practitioner": 1, "Observation": 1}
    assert set(report.noted) == {
        ("Patient", "unreadable_birth_date"),
        ("Patient", "no_name"),
        ("Practitioner", "npi_invalid"),
        ("Observation", "unreadable_date"),
    }
    assert report.minor is None
    assert json.loads(Patient.objects.get(pk=report.patient).body)["birthDate"] == "in spring"
    stored = Practitioner.objects.get(npi="40")
    assert (stored.family, stored.npi_valid, stored.source["identifier"][0]["value"]) == ("Fay", False, "40")
    assert json.loads(ClinicalResource.objects.get().body)["note"] == [{"text": "a\0b"}]


def test_a_minor_and_somebody_who_died_are_told(cast: Cast) -> None:
    child = imported(bundle(patient(birthDate="2020-10-20")), cast.nan)
    dead = imported(bundle(patient(deceasedDateTime="2019-01-01T00:00:00Z")), cast.nan)
    also = imported(bundle(patient(deceasedBoolean=True)), cast.nan)

    assert (child.minor, child.deceased) == (True, False)
    assert (dead.minor, dead.deceased, also.deceased) == (False, True, True)
    assert Patient.objects.filter(is_deceased=True).count() == 2


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (bundle(), NoPatient),
        (bundle(entry("Practitioner")), NoPatient),
        (bundle(patient(), patient()), SeveralPatients),
        (bundle(patient(fullUrl="urn:uuid:1"), entry("Basic", fullUrl="urn:uuid:1")), SameFullUrlTwice),
        (bundle(patient(), None), MalformedBundle),
    ],
)
def test_a_bundle_of_nobody_or_of_several_is_refused(content: Any, error: type[Exception], cast: Cast) -> None:
    with pytest.raises(error):
        imported(content, cast.nan)
    assert Patient.objects.count() == 2  # pia and ned


def test_a_fault_at_the_very_end_leaves_nothing_behind(cast: Cast, acts: Acts) -> None:
    before = rows()
    vera = patient()
    huge = json.dumps(bundle(vera, *(observation(vera) for _ in range(300)), observation(vera, valueInteger=0)))
    with pytest.raises(MalformedBundle):
        imported(huge.replace('"valueInteger": 0', '"valueDecimal": 1e4000').encode(), cast.nan)
    assert rows() == before and acts() == []


def test_identifiers_of_two_people_are_a_contradiction(cast: Cast) -> None:
    vera, other = patient(), patient()
    imported(bundle(vera), cast.nan)
    imported(bundle(other), cast.nan)
    both = patient(identifier=vera["resource"]["identifier"] + other["resource"]["identifier"])
    with pytest.raises(IdentifiersDisagree):
        imported(bundle(both), cast.nan)


def test_a_mistyped_number_does_not_mix_two_people(cast: Cast) -> None:
    vera = patient()
    imported(bundle(vera), cast.nan)
    stranger = copy.deepcopy(vera)
    stranger["resource"] |= {"birthDate": "1955-01-01", "name": [{"family": "Unrelated", "given": ["U"]}]}
    with pytest.raises(IdentifiersDisagree):
        imported(bundle(stranger), cast.nan)


def test_a_record_number_that_somebody_has_is_not_given_twice(cast: Cast) -> None:
    number = {"type": {"coding": [{"code": "MR"}]}, "system": "urn:elsewhere", "value": cast.pia_record.mrn}
    report = imported(bundle(patient(identifier=[number])), cast.nan)

    assert report.patient != cast.pia_record.pk
    assert Patient.objects.get(pk=report.patient).mrn.startswith("T")


@pytest.mark.parametrize("source", [{}, {"resourceType": "Practitioner"}], ids=["entered here", "imported once"])
def test_the_clinics_own_practitioners_are_not_changed_by_an_import(source: dict[str, str], cast: Cast) -> None:
    cast.cho.source = source
    cast.cho.identity = "http://hl7.org/fhir/sid/us-npi|1999000015"
    cast.cho.save()
    npi = [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999000015"}]
    vera, impostor = patient(), entry("Practitioner", identifier=npi, name=[{"family": "Impostor"}])
    report = imported(bundle(vera, impostor, observation(vera, performer=[{"reference": impostor["fullUrl"]}])), cast.nan)

    cast.cho.refresh_from_db()
    assert cast.cho.family == "Cho"
    assert report.noted["Practitioner", "clinic_entry_kept"] == 1
    assert f"Practitioner/{cast.cho.pk}" in ClinicalResource.objects.get().body


def test_a_patients_home_is_not_a_place_of_the_clinic(cast: Cast) -> None:
    vera = patient()
    home = entry("Location", name="Vera's home", type=[{"coding": [{"code": "PTRES"}]}])
    ward = entry("Location", name="Ward 3")
    imported(bundle(vera, home, ward), cast.nan)

    assert [place.name for place in Location.objects.all()] == ["Ward 3"]
    assert ClinicalResource.objects.get().type == "Location"


def test_a_sensitive_code_stands_in_the_clear_as_a_token_only(cast: Cast) -> None:
    vera = patient()
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}]}
    hiv = entry("Condition", subject={"reference": vera["fullUrl"]}, code=code)
    imported(bundle(vera, hiv), cast.nan)

    stored = ClinicalResource.objects.get()
    assert stored.code.startswith("~") and len(stored.code) == 17
    assert "86406008" in stored.body


@pytest.mark.parametrize("who", ["pia", "ned", "gus", "dr_cho", "desk", "biller", "privacy", "admin", "system"])
def test_only_a_nurse_imports(who: str, cast: Cast, acts: Acts) -> None:
    with pytest.raises(Refused):
        imported(bundle(patient()), getattr(cast, who))
    assert acts() == [Act.REFUSED]


def test_an_import_is_one_act_of_counts_and_opens_nothing(cast: Cast, acts: Acts) -> None:
    vera = patient()
    imported(bundle(vera, observation(vera)), cast.nan)
    imported(bundle(vera, observation(vera)), cast.nan)

    assert acts(openings=True) == [Act.PATIENT_REGISTERED, Act.BUNDLE_IMPORTED, Act.BUNDLE_IMPORTED]


def _swapped(one: Entry, other: Entry) -> None:
    one["fullUrl"], other["fullUrl"] = other["fullUrl"], one["fullUrl"]


def test_addresses_that_changed_hands_make_no_duplicates(cast: Cast) -> None:
    vera = patient()
    named = observation(vera, identifier=[{"system": "urn:o", "value": "1"}])
    plain = observation(vera, status="amended")
    imported(bundle(vera, named, plain), cast.nan)
    _swapped(named, plain)
    first = imported(bundle(vera, named, plain), cast.nan)
    again = imported(bundle(vera, named, plain), cast.nan)

    assert first.refused == again.refused == {("Observation", "address_of_another"): 1}
    assert ClinicalResource.objects.count() == 2
