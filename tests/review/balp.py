"""IHE BALP 1.1's own constraints on AuditEvent (its StructureDefinitions, read from the guide), as a checker of ours."""

from typing import Any

BASE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DCM = "http://dicom.nema.org/resources/ontology/DCM"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ENTITY, ROLE = "http://terminology.hl7.org/CodeSystem/audit-entity-type", "http://terminology.hl7.org/CodeSystem/object-role"
REST = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
INTERACTION = "http://hl7.org/fhir/restful-interaction"
XREQUEST = ("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId")
PERSON, OBJECT = (ENTITY, "1"), (ENTITY, "2")
SOURCE, DESTINATION = (DCM, "110153"), (DCM, "110152")

# profile: type, subtype, action, client, server, kinds of user, needs a patient
SHAPES: dict[str, tuple[Any, ...]] = {
    "PatientRead": (REST, (INTERACTION, "read"), "R", DESTINATION, SOURCE, {"IRCP"}, True),
    "Query": (REST, (INTERACTION, "search"), "E", SOURCE, DESTINATION, {"IRCP"}, False),
    "PatientCreate": (REST, (INTERACTION, "create"), "C", SOURCE, DESTINATION, {"AUT", "INF", "CST"}, True),
    "PatientUpdate": (REST, (INTERACTION, "update"), "U", SOURCE, DESTINATION, {"AUT", "INF", "CST"}, True),
}


def profile_of(event: dict[str, Any]) -> str:
    """The BALP profile that it claims; empty for none."""
    claimed = event.get("meta", {}).get("profile", [""])
    assert len(claimed) == 1
    assert not claimed[0] or claimed[0].startswith(BASE)
    return str(claimed[0].removeprefix(BASE))


def check(event: dict[str, Any]) -> str:
    """AssertionError for what its profile does not allow; says which that was."""
    name = profile_of(event)
    if name == "PrivacyDisclosure.Source":
        _disclosure(event)
    elif name:
        _rest(event, *SHAPES[name])
    return name


def code(coding: dict[str, Any]) -> tuple[str, str]:
    return coding["system"], coding["code"]


def _agents(event: dict[str, Any], role: tuple[str, str]) -> list[dict[str, Any]]:
    return [agent for agent in event["agent"] if role in {code(each) for each in agent["type"]["coding"]}]


def _entities(event: dict[str, Any], kind: tuple[str, str]) -> list[dict[str, Any]]:
    return [entity for entity in event["entity"] if code(entity["type"]) == kind]


def _rest(event: dict[str, Any], kind: Any, subtype: Any, action: str, client: Any, server: Any, users: set[str], patient: bool) -> None:
    assert (code(event["type"]), event["action"], event["outcome"]) == (kind, action, "0")
    assert subtype in {code(each) for each in event["subtype"]}
    for role in (client, server):
        (machine,) = _agents(event, role)
        assert machine["who"] and machine["network"] and "media" not in machine
    for user in (agent for agent in event["agent"] if agent["requestor"]):
        assert code(user["type"]["coding"][0])[1] in users
        assert user["who"] and not {"media", "network"} & set(user)
    assert sum(agent["requestor"] for agent in event["agent"]) <= 1
    (data,) = _entities(event, OBJECT)
    if subtype[1] == "search":
        assert code(data["role"]) == (ROLE, "24") and data["query"] and not {"what", "lifecycle", "detail"} & set(data)
    else:
        assert code(data["role"]) in {(ROLE, "4"), (ROLE, "3"), (ROLE, "20")} and data["what"]
    assert len(_entities(event, XREQUEST)) <= 1
    assert all(each["what"]["identifier"]["value"] for each in _entities(event, XREQUEST))
    _patients(event, 1 if patient else 0)


def _disclosure(event: dict[str, Any]) -> None:
    assert (code(event["type"]), event["action"]) == ((DCM, "110106"), "R")
    assert ("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose") in {code(each) for each in event["subtype"]}
    assert event["outcome"] in {"0", "4", "8", "12"} and "modifierExtension" not in event
    (source,), (recipient,) = _agents(event, SOURCE), _agents(event, DESTINATION)
    assert source["who"] == event["source"]["observer"], "val-audit-source"
    assert all(each["who"] and each["network"] for each in (source, recipient))
    assert len(event["entity"]) >= 2
    _patients(event, 1)


def _patients(event: dict[str, Any], wanted: int) -> None:
    people = _entities(event, PERSON)
    assert len(people) == wanted
    for each in people:
        assert code(each["role"]) == (ROLE, "1")
        assert each["what"]["reference"].startswith("Patient/")
