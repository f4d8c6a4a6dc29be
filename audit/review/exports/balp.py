"""Entries and disclosures as FHIR R4 AuditEvents in the shapes of IHE BALP 1.1 (PatientRead, Query, PatientCreate,
PatientUpdate, PrivacyDisclosure.Source). What no shape fits is a plain AuditEvent and claims no profile.

The ledger keeps no network address of the asker, so the client's `network` says that it is unknown, and no search's
words, so a Query's `query` holds the names of what was searched by.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from audit.ledger import Act
from audit.review.exports.codes import (
    ABSENT,
    ACCOUNT,
    ACT,
    DCM,
    ENTITY_ROLE,
    ENTITY_TYPE,
    EVENT_TYPE,
    INTERACTION,
    KIND,
    LIFECYCLE,
    PARTICIPATION,
    PROFILE,
    REASON,
    REQUEST_ID,
    ROLE,
    SOURCE_TYPE,
    Json,
    coding,
    concept,
)

OUTCOME = {"ok": "0", "refused": "4", "failed": "8"}
SOURCE, DESTINATION = (DCM, "110153"), (DCM, "110152")
TYPES: dict[str, tuple[str, str]] = {  # act → type and, where there is one, subtype of a plain event
    Act.LEDGER_READ: ("110101", ""),
    Act.AUDIT_EXPORTED: ("110106", ""),
    Act.REFUSED: ("110113", ""),
    Act.SIGNED_IN: ("110114", "110122"),
    Act.SIGNED_OUT: ("110114", "110123"),
}
CREATES = {"created", "drafted", "written", "registered", "booked"}
UPDATES = {"changed", "revised", "signed", "cancelled", "fulfilled", "arrived"}
FHIR_TYPES = {
    "records.Patient": "Patient",
    "consults.Visit": "Encounter",
    "consults.Note": "DocumentReference",
    "prescribing.Prescription": "MedicationRequest",
    "scheduling.Appointment": "Appointment",
}


@dataclass(frozen=True)
class Site:
    """Who records: the ledger's origin, and the clinic's address on the web."""

    origin: str
    url: str

    @property
    def observer(self) -> Json:
        return {"identifier": {"system": "urn:ietf:rfc:3986", "value": self.url}, "display": self.origin}


def events(entry: Any, site: Site, types: Mapping[str, str]) -> Iterator[Json]:
    """The AuditEvents of one entry: an opening gives one per object, anything else one. `types`: FHIR types of clinical
    resources by id."""
    if entry.act == Act.RECORD_OPENED and entry.outcome == "ok":
        opened = orjson.loads(entry.detail)
        for number, (thing, fields) in enumerate(sorted(opened.items())):
            yield _read(entry, site, number, thing, fields, types)
    elif entry.act == Act.PATIENT_SEARCHED and entry.outcome == "ok":
        yield _query(entry, site)
    else:
        yield _write(entry, site) or _plain(entry, site)


def disclosed(row: Any, site: Site) -> Json:
    """One line of an accounting, as recorded at the source of the disclosure."""
    recipient = " ".join(filter(None, (row.recipient.get("name"), row.recipient.get("address")))) or "unknown"
    return {
        **_head(row.pk, row.at, "0", "PrivacyDisclosure.Source"),
        "type": coding(DCM, "110106"),
        "subtype": [coding(LIFECYCLE, "disclose")],
        "action": "R",
        "outcomeDesc": row.what,
        "purposeOfEvent": [{"coding": [{"system": "urn:telehealth:basis", "code": row.basis}], "text": row.purpose}],
        "agent": [_machine(SOURCE, site.observer, _network(site)), _machine(DESTINATION, {"display": recipient}, UNKNOWN)],
        "source": _source(site),
        "entity": [_patient(row.patient_id), _object(row.source_kind, str(row.source_id or row.pk), "3", {})],
    }


UNKNOWN: Json = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}


def _read(entry: Any, site: Site, number: int, thing: str, fields: list[str], types: Mapping[str, str]) -> Json:
    label, _, pk = thing.partition(":")
    data = _object(label, pk, "4", types) | {"detail": [{"type": "field", "valueString": name} for name in fields]}
    return {
        **_head(f"{entry.id}-{number}", entry.timestamp, "0", "PatientRead"),
        **_rest("read", "R"),
        "agent": _agents(entry, site, client=DESTINATION, server=SOURCE, user="IRCP"),
        "source": _source(site),
        "entity": [_transaction(entry), _patient(entry.record_id), data],
    }


def _query(entry: Any, site: Site) -> Json:
    names = str(orjson.loads(entry.detail).get("by", "")).split()
    asked = base64.b64encode("&".join(names).encode()).decode()
    return {
        **_head(entry.id, entry.timestamp, "0", "Query"),
        **_rest("search", "E"),
        "agent": _agents(entry, site, client=SOURCE, server=DESTINATION, user="IRCP"),
        "source": _source(site),
        "entity": [
            _transaction(entry),
            {"type": coding(ENTITY_TYPE, "2"), "role": coding(ENTITY_ROLE, "24"), "query": asked},
        ],
    }


def _write(entry: Any, site: Site) -> Json | None:
    """A creation or change of one object of one record; None when it is neither."""
    verb = entry.act.rpartition(".")[2]
    if entry.outcome != "ok" or entry.record_id is None or not entry.object_pk or verb not in CREATES | UPDATES:
        return None
    made = verb in CREATES
    return {
        **_head(entry.id, entry.timestamp, "0", "PatientCreate" if made else "PatientUpdate"),
        **_rest("create" if made else "update", "C" if made else "U"),
        "agent": _agents(entry, site, client=SOURCE, server=DESTINATION, user="AUT"),
        "source": _source(site),
        "entity": [_transaction(entry), _patient(entry.record_id), _object(entry.kind, entry.object_pk, "4", {})],
    }


def _plain(entry: Any, site: Site) -> Json:
    kind, subtype = TYPES.get(entry.act, ("110100", ""))
    entities = [_transaction(entry)]
    if entry.record_id is not None:
        entities.append(_patient(entry.record_id))
    if entry.object_pk:
        entities.append(_object(entry.kind, entry.object_pk, "4", {}))
    return {
        **_head(entry.id, entry.timestamp, OUTCOME[entry.outcome], ""),
        "type": coding(DCM, kind),
        "subtype": [coding(DCM, subtype)] if subtype else [coding(ACT, entry.act)],
        "action": "E",
        **({"outcomeDesc": entry.reason} if entry.outcome != "ok" and entry.reason else {}),
        "agent": _agents(entry, site, client=SOURCE, server=DESTINATION, user="AUT"),
        "source": _source(site),
        "entity": entities,
    }


def _head(pk: UUID | str, at: datetime, outcome: str, profile: str) -> Json:
    recorded = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = {"meta": {"profile": [PROFILE + profile]}} if profile else {}
    return {"resourceType": "AuditEvent", "id": str(pk), **meta, "recorded": recorded, "outcome": outcome}


def _rest(interaction: str, action: str) -> Json:
    return {"type": coding(EVENT_TYPE, "rest"), "subtype": [coding(INTERACTION, interaction)], "action": action}


def _source(site: Site) -> Json:
    return {"site": site.origin, "observer": site.observer, "type": [coding(SOURCE_TYPE, "4")]}


def _agents(entry: Any, site: Site, *, client: tuple[str, str], server: tuple[str, str], user: str) -> list[Json]:
    asking = {"display": entry.client or f"{entry.channel or 'unknown'}"}
    agents = [_machine(client, asking, UNKNOWN), _machine(server, site.observer, _network(site))]
    return [*agents, _user(entry, user)] if entry.actor_id is not None else agents


def _machine(role: tuple[str, str], who: Json, network: Json) -> Json:
    return {"type": concept(*role), "who": who, "requestor": False, "network": network}


def _network(site: Site) -> Json:
    return {"address": site.url, "type": "5"}


def _user(entry: Any, participation: str) -> Json:
    purpose = {"purposeOfUse": [concept(REASON, entry.purpose)]} if entry.purpose else {}
    name = {"name": entry.actor_name} if getattr(entry, "actor_name", "") else {}
    return {
        "type": concept(PARTICIPATION, participation),
        "role": [concept(ROLE, entry.role)],
        "who": {"identifier": {"system": ACCOUNT, "value": str(entry.actor_id)}},
        **name,
        "requestor": True,
        **purpose,
    }


def _transaction(entry: Any) -> Json:
    return {"what": {"identifier": {"value": entry.cid or "unknown"}}, "type": coding(REQUEST_ID, "XrequestId")}


def _patient(record_id: UUID) -> Json:
    return {
        "what": {"reference": f"Patient/{record_id}", "type": "Patient"},
        "type": coding(ENTITY_TYPE, "1"),
        "role": coding(ENTITY_ROLE, "1"),
    }


def _object(label: str, pk: str, role: str, types: Mapping[str, str]) -> Json:
    fhir = FHIR_TYPES.get(label) or (types.get(pk, "") if label == "records.ClinicalResource" else "")
    what: Json = {"reference": f"{fhir}/{pk}", "type": fhir} if fhir else {"identifier": {"system": f"{KIND}:{label}", "value": pk}}
    return {"what": what, "type": coding(ENTITY_TYPE, "2"), "role": coding(ENTITY_ROLE, role)}
