from django.db import transaction
from django.db.models import Q

from audit.ledger import Act, Actor, record
from telehealth.core import permit
from telehealth.records import rules
from telehealth.records.digests import named, query_tokens, words
from telehealth.records.errors import NothingToSearch, SearchTooWide
from telehealth.records.models import Patient
from telehealth.records.selectors import NOT_SHOWN, patients_for
from telehealth.vault import matches
from telehealth.vault.blind import blind

MOST_CANDIDATES = 500


@transaction.atomic
def search_patients(*, by: Actor, mrn: str = "", phone: str = "", name: str = "", birth_date: str = "") -> list[Patient]:
    """The patients whom all that is given fits, among those this actor may see, newest first.

    A write, for every search is recorded, also one that finds nobody. Candidates that turn out to be others are
    compared inside the vault and are no openings. Raises NothingToSearch, SearchTooWide.
    """
    permit(by, rules.may_search, None)
    asked = {"mrn": mrn, "phone": phone, "name": name, "birth_date": birth_date}
    given = sorted(key for key, value in asked.items() if value.strip())
    tokens = query_tokens(name)
    if not given or (given == ["name"] and not tokens):
        raise NothingToSearch()
    query = Q()
    if mrn.strip():
        query &= _by_number(mrn)
    if phone.strip():
        query &= Q(phone_index=blind("records.Patient.phone", phone))
    if birth_date.strip():
        query &= Q(birth_date_index=blind("records.Patient.birth_date", birth_date))
    query &= named(name) if tokens else Q()
    candidates = list(patients_for(by).filter(query).defer(*NOT_SHOWN).order_by("-id")[: MOST_CANDIDATES + 1])
    if len(candidates) > MOST_CANDIDATES:
        raise SearchTooWide()
    found = [patient for patient in candidates if _is_named(patient, name)]
    record(by, Act.PATIENT_SEARCHED, detail={"by": " ".join(given), "found": len(found)})
    return found


def _by_number(number: str) -> Q:
    """Our own record number, or any number under which somebody else knows the patient."""
    elsewhere = Q(identifiers__value_index=blind("records.PatientIdentifier.value", number))
    held = Patient.objects.filter(elsewhere).values("pk")
    return Q(mrn_index=blind("records.Patient.mrn", number)) | Q(pk__in=held)


def _is_named(patient: Patient, name: str) -> bool:
    """Each word looked for begins a word of the family or given name."""
    return all(any(_begins(patient, field, word) for field in ("family", "given")) for word in words(name))


def _begins(patient: Patient, field: str, word: str) -> bool:
    return matches(patient, field, lambda held: any(each.startswith(word) for each in words(held)))
