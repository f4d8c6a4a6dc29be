"""A NewRx as text, for tests of the network that know nothing of our renderer."""

from __future__ import annotations

VERSIONS = (
    'DatatypesVersion="20170715" TransportVersion="20170715" TransactionDomain="SCRIPT" '
    'TransactionVersion="20170715" StructuresVersion="20170715" ECLVersion="20170715"'
)
ADDRESS = (
    "<Address><AddressLine1>1 Elm Street</AddressLine1><City>Salem</City><StateProvince>MA</StateProvince>"
    "<PostalCode>01970</PostalCode><CountryCode>US</CountryCode></Address>"
)
PHONE = "<CommunicationNumbers><PrimaryTelephone><Number>5551234567</Number></PrimaryTelephone></CommunicationNumbers>"


def newrx(message_id: str = "m-1", to: str = "1234567", sig: str = "Take one tablet daily") -> bytes:
    """One valid NewRx."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Message {VERSIONS}><Header><To Qualifier="P">{to}</To>'
        f'<From Qualifier="C">clinic-1</From><MessageID>{message_id}</MessageID><SentTime>2026-11-21T10:00:00Z</SentTime>'
        "<SenderSoftware><SenderSoftwareDeveloper>T</SenderSoftwareDeveloper><SenderSoftwareProduct>T</SenderSoftwareProduct>"
        "<SenderSoftwareVersionRelease>1</SenderSoftwareVersionRelease></SenderSoftware></Header><Body><NewRx>"
        "<Patient><HumanPatient><Name><LastName>Moss</LastName><FirstName>Pia</FirstName></Name><Gender>F</Gender>"
        f"<DateOfBirth><Date>1980-02-03</Date></DateOfBirth>{ADDRESS}</HumanPatient></Patient>"
        f"<Pharmacy><Identification><NCPDPID>{to}</NCPDPID></Identification><BusinessName>Corner</BusinessName>{ADDRESS}{PHONE}</Pharmacy>"
        "<Prescriber><NonVeterinarian><Identification><NPI>1234567893</NPI></Identification>"
        f"<Name><LastName>Cho</LastName><FirstName>Dana</FirstName></Name>{ADDRESS}{PHONE}</NonVeterinarian></Prescriber>"
        "<MedicationPrescribed><DrugDescription>Amoxicillin 500 mg oral capsule</DrugDescription><DrugCoded><DrugDBCode><Code>308191</Code>"
        "<Qualifier>SCD</Qualifier></DrugDBCode></DrugCoded><Quantity><Value>21</Value><CodeListQualifier>38</CodeListQualifier>"
        "<QuantityUnitOfMeasure><Code>C48480</Code></QuantityUnitOfMeasure></Quantity><DaysSupply>7</DaysSupply><WrittenDate>"
        "<Date>2026-11-21</Date></WrittenDate><Substitutions>0</Substitutions><NumberOfRefills>0</NumberOfRefills>"
        f"<Sig><SigText>{sig}</SigText></Sig></MedicationPrescribed></NewRx></Body></Message>"
    ).encode()
