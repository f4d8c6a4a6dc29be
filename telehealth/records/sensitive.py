"""Codes that tell by themselves what a person may least want known: they stand in the clear only as a keyed token.

The categories are those of 42 CFR Part 2 and of the state laws that go beyond HIPAA: substance use, mental health,
HIV and other sexually transmitted infections, reproduction, gender identity, violence. By prefix where the code
system has one; by code where it has none.
"""

from telehealth.records.digests import digest

ICD10_PREFIXES = (
    *("F", "B20", "Z21", "R75", "O", "Z30", "Z31", "Z32", "Z33", "Z34", "Z3A", "Z64.0", "Z72.5", "Z87.890"),
    *("A50", "A51", "A52", "A53", "A54", "A55", "A56", "A57", "A58", "A59", "A60", "A63", "A64"),
    *("T40", "T74", "T76", "X71", "X72", "X83", "Y07", "Z69", "Z71.4", "Z71.5", "Z91.5"),
)
ICD9_PREFIXES = (
    *("29", "30", "31", "042", "V08", "091", "092", "093", "094", "095", "096", "097", "098", "099", "079.53"),
    *("63", "64", "65", "66", "67", "V22", "V23", "V24", "V25", "V26", "V27", "V28", "965.0", "995.5", "995.8", "E95"),
)
OIDS = {  # the same systems as older senders name them
    "2.16.840.1.113883.6.1": "loinc",
    "2.16.840.1.113883.6.3": "icd-10",
    "2.16.840.1.113883.6.90": "icd-10-cm",
    "2.16.840.1.113883.6.96": "snomed",
    "2.16.840.1.113883.6.103": "icd-9-cm",
}
SNOMED = frozenset(
    """
    5602001 6525002 7200002 15167005 66214007 191802004 191816009 231504006 361055000 55680006 
    35489007 36923009 36474008 47505003 58214004 13746004 74732009 197480006 80583007 87512008 370143000 225444004
    86406008 111880001 91947003 165816005 76272004 15628003 240589008 8098009
    77386006 72892002 47200007 79586000 19169002 156073000 17369002 35999006 161744009 237364002
    93461009 706893006 424393004 371422002
    """.split()
)
LOINC = frozenset(
    "7917-8 7918-6 29893-5 56888-1 75622-1 25836-8 20447-9 22587-0 2106-3 2118-8 82810-3 3426-4 3397-7 72109-2 44249-1".split()
)


def clear_code(system: str, code: str) -> str:
    """The code, or "~" and 16 hex digits of a keyed digest when it is sensitive."""
    if not code or not is_sensitive(system, code):
        return code
    return "~" + digest("ClinicalResource.code", system, code).hex()[:16]


def is_sensitive(system: str, code: str) -> bool:
    """Whether the code alone tells too much."""
    name = system_name(system)
    if "icd-10" in name:
        return code.upper().startswith(ICD10_PREFIXES)
    if "icd-9" in name:
        return code.upper().startswith(ICD9_PREFIXES)
    return code in (SNOMED if "snomed" in name else LOINC if "loinc" in name else ())


def system_name(system: str) -> str:
    """The code system in lower case, also when an older sender names it by its OID."""
    return OIDS.get(system.strip().removeprefix("urn:oid:"), system).casefold()
