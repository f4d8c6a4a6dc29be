"""The first reading: who the patient is, what there is, and under which names things refer to each other."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from uuid import UUID

from telehealth.records.digests import digest
from telehealth.records.errors import NoPatient, SameFullUrlTwice, SeveralPatients
from telehealth.records.importing import dea, reading, stream
from telehealth.records.importing.kinds import KINDS, STAFF
from telehealth.records.importing.writing import plain, settled

STORING = ("", "POST", "PUT")  # request methods that bring a resource


@dataclass(slots=True)
class Item:
    """What is remembered of one entry between the two readings: no body."""

    kind: str
    url: str  # the address by which it is found again
    own_id: str  # the sender's
    identities: tuple[Any, ...]  # by which it is found again before the address: digests, for staff the text
    staff: bool  # kept in the clear tables
    refused: str = ""  # why it is not stored
    pk: UUID | None = None  # ours
    known: tuple[bytes, int] | None = None  # of a clinical resource that we have: body key and version

    @property
    def our_id(self) -> UUID:
        """Ours, once it has been identified."""
        if self.pk is None:
            raise LookupError("not identified yet")
        return self.pk


@dataclass
class Survey:
    """One bundle, without its bodies."""

    patient: dict[str, Any] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)

    def staff(self) -> list[Item]:
        """The items for the clear tables."""
        return [item for item in self.items if item.staff and not item.refused]

    def clinical(self) -> list[Item]:
        """The items for the record."""
        return [item for item in self.items if not (item.staff or item.refused or item.kind == "Patient")]

    def patient_item(self) -> Item:
        """The patient's own."""
        return next(item for item in self.items if item.kind == "Patient" and not item.refused)


def survey(source: BinaryIO) -> Survey:
    """Read the bundle once; raise unless it is a well-formed transaction about exactly one patient."""
    stream.check_kind(source)
    found, urls, nameless = Survey(), set[str](), Counter[str]()
    for entry in stream.entries(source):
        item = _item(entry)
        if entry.get("fullUrl") and item.url in urls:
            raise SameFullUrlTwice()
        if not entry.get("fullUrl"):
            nameless[item.url] += 1  # of twins, the second is found again as the second
            item.url += f"#{nameless[item.url]}"
        urls.add(item.url)
        if item.kind == "Patient" and not item.refused:
            if found.patient:
                raise SeveralPatients()
            found.patient = entry["resource"]
        found.items.append(item)
    if not found.patient:
        raise NoPatient()
    _drop_shared_identities(found.items)
    return found


def _item(entry: dict[str, Any]) -> Item:
    resource = entry["resource"]
    kind, own_id = resource["resourceType"], reading.text(resource, "id")
    refused = ""
    if kind not in KINDS:
        kind, refused = "?", "unknown_type"  # the text itself is the sender's: not repeated
    elif reading.text(entry, "request", "method") not in STORING:
        refused = "method_not_supported"
    url = entry.get("fullUrl") or (f"{kind}/{own_id}" if own_id else _content(resource))
    staff = kind in STAFF and not reading.is_private_place(resource)
    return Item(kind, url, own_id, _identities(kind, resource, staff), staff, refused)


def _content(resource: dict[str, Any]) -> str:
    """Nameless: then its content is its name."""
    return "content:" + digest("ClinicalResource.content", plain(settled(resource)).decode()).hex()


def _identities(kind: str, resource: dict[str, Any], staff: bool) -> tuple[Any, ...]:
    if staff:
        rest, number = dea.taken_out(resource)
        clear = [reading.staff_identity(rest, *pair) for pair in reading.identifiers(rest)]
        return (*clear, dea.identity(number)) if number else tuple(clear)
    pairs = list(reading.identifiers(resource))
    return tuple(digest("ClinicalResource.identifier", kind, *pair) for pair in pairs[:4])


def _drop_shared_identities(items: list[Item]) -> None:
    """An identifier that several entries carry (the group of a claim) identifies none of them."""
    uses = Counter((item.kind, identity) for item in items for identity in set(item.identities))
    for item in items:
        item.identities = tuple(each for each in item.identities if uses[item.kind, each] == 1)[:1]
