"""Reading a SCRIPT message that somebody else wrote: bounded, without entities, valid by the schema, or not at all."""

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).with_name("2017071.xsd"))))


class NotScript(ValueError):
    """The bytes are no message that we take. The text names the fault and quotes nothing."""


@dataclass(frozen=True)
class Envelope:
    """Who sent what about which message. `code` and `description_code` are a Status's or an Error's."""

    to: str
    sender: str
    message_id: str
    relates_to: str
    kind: str
    code: str = ""
    description_code: str = ""


def read(body: bytes) -> Envelope:
    """The envelope of one valid message, or NotScript."""
    root = _parsed(body)
    if not SCHEMA.validate(root):
        raise NotScript("not valid by the schema")
    content = root.find("Body/*")
    if content is None:
        raise NotScript("no content")
    return Envelope(
        to=_text(root, "Header/To"),
        sender=_text(root, "Header/From"),
        message_id=_text(root, "Header/MessageID"),
        relates_to=_text(root, "Header/RelatesToMessageID"),
        kind=str(content.tag),
        code=_text(content, "Code"),
        description_code=_text(content, "DescriptionCode"),
    )


def _parsed(body: bytes) -> etree._Element:
    """UTF-8 only, so that no other encoding can hide a document type from the look for one."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotScript("not UTF-8") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotScript("a document type is not taken")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise NotScript("not well-formed") from None


def _text(root: etree._Element, path: str) -> str:
    found = root.find(path)
    return (found.text or "").strip() if found is not None else ""
