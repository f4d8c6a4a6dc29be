"""NCPDP SCRIPT 2017071 as a receiver reads and answers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lxml import etree

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).with_name("script-2017071.xsd"))))
RELEASE = "20170715"


class Malformed(Exception):
    """The body is no SCRIPT message that we take; the text names the fault and quotes nothing of the body."""


@dataclass(frozen=True)
class Envelope:
    """What the header of a message says, and the kind of its body."""

    to: str
    sender: str
    sender_qualifier: str
    message_id: str
    kind: str


def read(body: bytes) -> Envelope:
    """Take one message: UTF-8, no DTD, no entities, valid by our schema; otherwise Malformed."""
    root = _parsed(body)
    if not SCHEMA.validate(root):
        raise Malformed("not valid by the schema")
    sender = root.find("Header/From")
    kind = root.find("Body/*")
    if sender is None or kind is None:
        raise Malformed("no sender or no content")
    return Envelope(
        to=_text(root, "Header/To"),
        sender=sender.text or "",
        sender_qualifier=sender.get("Qualifier", ""),
        message_id=_text(root, "Header/MessageID"),
        kind=str(kind.tag),
    )


def _parsed(body: bytes) -> etree._Element:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Malformed("a document type is not taken")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Malformed("not well-formed") from None


def _text(root: etree._Element, path: str) -> str:
    found = root.find(path)
    return (found.text or "").strip() if found is not None else ""


def status(code: str, about: Envelope) -> bytes:
    """A Status message that answers `about`: 000 taken by the network, 010 taken by the pharmacy."""
    return _answer("Status", {"Code": code}, about)


def error(code: str, description_code: str = "", about: Envelope | None = None) -> bytes:
    """An Error message; without `about` it answers something that could not be read."""
    said = {"Code": code, "DescriptionCode": description_code}
    return _answer("Error", {name: value for name, value in said.items() if value}, about)


def _answer(kind: str, said: dict[str, str], about: Envelope | None) -> bytes:
    versions = ("DatatypesVersion", "TransportVersion", "TransactionVersion", "StructuresVersion", "ECLVersion")
    message = etree.Element("Message", {"TransactionDomain": "SCRIPT"} | dict.fromkeys(versions, RELEASE))
    header = etree.SubElement(message, "Header")
    _add(header, "To", about.sender if about else "unknown", Qualifier=about.sender_qualifier if about else "ZZZ")
    _add(header, "From", about.to if about else "network", Qualifier="P" if about else "ZZZ")
    _add(header, "MessageID", uuid4().hex)
    if about:
        _add(header, "RelatesToMessageID", about.message_id)
    _add(header, "SentTime", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    software = etree.SubElement(header, "SenderSoftware")
    _add(software, "SenderSoftwareDeveloper", "Telehealth")
    _add(software, "SenderSoftwareProduct", "Rehearsal pharmacy network")
    _add(software, "SenderSoftwareVersionRelease", "1")
    content = etree.SubElement(etree.SubElement(message, "Body"), kind)
    for name, value in said.items():
        _add(content, name, value)
    SCHEMA.assertValid(message)
    return etree.tostring(message, xml_declaration=True, encoding="UTF-8")


def _add(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    child = etree.SubElement(parent, name, attributes)
    child.text = text
