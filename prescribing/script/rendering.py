"""A signed prescription as a NewRx. The same content gives the same bytes, for ever: nothing here asks the clock."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from prescribing.script.reading import SCHEMA, NotScript

VERSIONS = ("DatatypesVersion", "TransportVersion", "TransactionVersion", "StructuresVersion", "ECLVersion")
RELEASE = "20170715"
NOT_ALLOWED, ALLOWED = "1", "0"
ORIGINAL_QUANTITY = "38"

Content = Mapping[str, Any]


def new_rx(content: Content, *, message_id: str, clinic_id: str) -> bytes:
    """NewRx of the content that was signed; NotScript if it does not fit the schema. Nothing is cut to make it fit."""
    message = etree.Element("Message", {"TransactionDomain": "SCRIPT"} | dict.fromkeys(VERSIONS, RELEASE))
    _header(etree.SubElement(message, "Header"), content, message_id, clinic_id)
    order = etree.SubElement(etree.SubElement(message, "Body"), "NewRx")
    _patient(etree.SubElement(etree.SubElement(order, "Patient"), "HumanPatient"), content["patient"])
    _pharmacy(etree.SubElement(order, "Pharmacy"), content["pharmacy"])
    _prescriber(etree.SubElement(etree.SubElement(order, "Prescriber"), "NonVeterinarian"), content["prescriber"])
    _medication(etree.SubElement(order, "MedicationPrescribed"), content)
    if not SCHEMA.validate(message):
        raise NotScript(f"does not fit the schema at {_place(SCHEMA.error_log)}")
    return etree.tostring(message, xml_declaration=True, encoding="UTF-8")


def _header(header: etree._Element, content: Content, message_id: str, clinic_id: str) -> None:
    _add(header, "To", content["pharmacy"]["ncpdp_id"], Qualifier="P")
    _add(header, "From", clinic_id, Qualifier="C")
    _add(header, "MessageID", message_id)
    _add(header, "SentTime", content["signed_at"])
    software = etree.SubElement(header, "SenderSoftware")
    for part, said in (("Developer", "Telehealth"), ("Product", "Telehealth"), ("VersionRelease", "1")):
        _add(software, f"SenderSoftware{part}", said)
    _add(header, "PrescriberOrderNumber", content["number"])


def _patient(parent: etree._Element, patient: Content) -> None:
    _name(parent, patient)
    _add(parent, "Gender", patient["gender"])
    _add(etree.SubElement(parent, "DateOfBirth"), "Date", patient["birth_date"])
    _address(parent, patient["address"])
    if patient["phone"]:
        _phone(parent, patient["phone"])


def _pharmacy(parent: etree._Element, pharmacy: Content) -> None:
    identification = etree.SubElement(parent, "Identification")
    _add(identification, "NCPDPID", pharmacy["ncpdp_id"])
    if pharmacy["npi"]:
        _add(identification, "NPI", pharmacy["npi"])
    _add(parent, "BusinessName", pharmacy["name"])
    _address(parent, pharmacy["address"])
    _phone(parent, pharmacy["phone"])


def _prescriber(parent: etree._Element, prescriber: Content) -> None:
    _add(etree.SubElement(parent, "Identification"), "NPI", prescriber["npi"])
    _name(parent, prescriber)
    _address(parent, prescriber["address"])
    _phone(parent, prescriber["phone"])


def _medication(parent: etree._Element, content: Content) -> None:
    medication = content["medication"]
    _add(parent, "DrugDescription", medication["description"])
    coded = etree.SubElement(etree.SubElement(parent, "DrugCoded"), "DrugDBCode")
    _add(coded, "Code", medication["rxcui"])
    _add(coded, "Qualifier", medication["term_type"])
    quantity = etree.SubElement(parent, "Quantity")
    _add(quantity, "Value", content["quantity"])
    _add(quantity, "CodeListQualifier", ORIGINAL_QUANTITY)
    _add(etree.SubElement(quantity, "QuantityUnitOfMeasure"), "Code", medication["unit"])
    _add(parent, "DaysSupply", str(content["days_supply"]))
    _add(etree.SubElement(parent, "WrittenDate"), "Date", content["signed_at"][:10])
    _add(parent, "Substitutions", ALLOWED if content["substitution"] else NOT_ALLOWED)
    _add(parent, "NumberOfRefills", str(content["refills"]))
    if content["note"]:
        _add(parent, "Note", content["note"])
    _add(etree.SubElement(parent, "Sig"), "SigText", content["sig"])


def _name(parent: etree._Element, person: Content) -> None:
    name = etree.SubElement(parent, "Name")
    _add(name, "LastName", person["family"])
    _add(name, "FirstName", person["given"])


def _address(parent: etree._Element, address: Content) -> None:
    element = etree.SubElement(parent, "Address")
    _add(element, "AddressLine1", address["line"])
    _add(element, "City", address["city"])
    _add(element, "StateProvince", address["state"])
    _add(element, "PostalCode", address["postal_code"])
    _add(element, "CountryCode", "US")


def _phone(parent: etree._Element, number: str) -> None:
    numbers = etree.SubElement(parent, "CommunicationNumbers")
    _add(etree.SubElement(numbers, "PrimaryTelephone"), "Number", number)


def _add(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    try:
        etree.SubElement(parent, name, attributes).text = text
    except ValueError:  # a control character: no XML can carry it
        raise NotScript(f"cannot be written at {name}") from None


def _place(log: etree._ListErrorLog) -> str:
    """The path of the first element that does not fit; the message itself would quote the value."""
    return log[0].path if len(log) else "Message"
