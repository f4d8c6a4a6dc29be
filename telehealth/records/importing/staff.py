"""Practitioners, organisations and places of a bundle, for the clear tables."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from audit.ledger import uuid7
from telehealth.core import lock
from telehealth.records.digests import digest, lock_name
from telehealth.records.importing import dea, reading
from telehealth.records.importing.survey import Item
from telehealth.records.importing.writing import Resolve, plain, renamed, without_nul
from telehealth.records.models import DeaNumber, Location, Organization, Practitioner

TABLES: Mapping[str, type[Practitioner] | type[Organization] | type[Location]] = {
    "Practitioner": Practitioner,
    "Organization": Organization,
    "Location": Location,
}
LONGEST_URL = 300


def identify(items: list[Item]) -> None:
    """Give each item its id: of the row we have, or a new one. What is new is locked until the transaction ends."""
    _find(items)
    new = [item for item in items if item.pk is None]
    if new:
        lock(*(lock_name("staff", item.kind, name) for item in new for name in (*item.identities, item.url)))
        _find(new)
    for item in new:
        item.pk = item.pk or uuid7()


def _find(items: list[Item]) -> None:
    for kind, table in TABLES.items():
        ours = [item for item in items if item.kind == kind]
        named = {identity for item in ours for identity in item.identities}
        by_identity = dict(table.objects.filter(identity__in=named).values_list("identity", "pk"))
        by_url = dict(table.objects.filter(source_url__in=[source_url(item.url) for item in ours]).values_list("source_url", "pk"))
        taken = set(by_identity.values())
        for item in ours:
            item.pk = next((by_identity[each] for each in item.identities if each in by_identity), None)
            if item.pk is None and (held := by_url.get(source_url(item.url))):
                item.pk, item.refused = (None, "address_of_another") if held in taken else (held, "")


def source_url(url: str) -> str:
    """As kept: one that is too long by its digest."""
    return url if len(url) <= LONGEST_URL else "digest:" + digest("Sourced.url", url).hex()


def store(item: Item, resource: Mapping[str, Any], resolve: Resolve) -> tuple[str, list[str]]:
    """Make or change the row; "stored", "updated" or "unchanged", and what is odd. The clinic's own rows are not touched."""
    table = TABLES[item.kind]
    body, lost = renamed(resource, resolve, item.our_id)
    body, number = dea.taken_out(body)
    text = plain(body)
    source = without_nul(orjson.loads(text))
    mark = hashlib.sha256(text + (digest("dea", number) if number else b"")).hexdigest()
    odd = ["unresolved_reference"] * bool(lost)
    row = table.objects.filter(pk=item.our_id).first()
    if row and (not row.source or getattr(row, "account_id", None)):
        return "unchanged", [*odd, "clinic_entry_kept"]
    if isinstance(row or table(), Practitioner):
        odd += ["npi_invalid"] * (bool(npi := _npi(resource)) and not reading.npi_valid(npi))
    if row and row.source_digest == mark:
        return "unchanged", odd
    values = {"source": source, "source_digest": mark, **_facts(item.kind, resource)}
    if row:
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        _keep(item, number)
        return "updated", odd
    table.objects.create(pk=item.our_id, identity=next(iter(item.identities), ""), source_url=source_url(item.url), **values)
    _keep(item, number)
    return "stored", odd


def _keep(item: Item, number: str) -> None:
    """The DEA number that came, sealed; one that comes no more goes."""
    DeaNumber.objects.filter(holder_id=item.our_id).delete()
    if number:
        DeaNumber.objects.create(holder_id=item.our_id, number=number)


def _facts(kind: str, resource: Mapping[str, Any]) -> dict[str, Any]:
    if kind != "Practitioner":
        return {"name": reading.text(resource, "name")[:300]}
    npi = _npi(resource)
    return {
        "family": reading.text(resource, "name", 0, "family")[:200],
        "given": reading.text(resource, "name", 0, "given", 0)[:200],
        "npi": npi[:64],
        "npi_valid": reading.npi_valid(npi),
    }


def _npi(resource: Mapping[str, Any]) -> str:
    pairs = reading.identifiers(resource)
    return next((value for system, value in pairs if system == reading.NPI_SYSTEM), "")
