import pytest

from audit.ledger import Act, current
from audit.ledger.models import Entry
from telehealth.core.errors import Refused
from telehealth.records.errors import NothingToSearch
from telehealth.records.models import Patient
from telehealth.records.services import search_patients
from tests.cast import Cast, make_patient
from tests.people import Acts, ClientFor


def names(found: list[Patient]) -> list[str]:
    return sorted(patient.given for patient in found)


@pytest.fixture
def others(cast: Cast) -> None:
    make_patient("Quillon", "Paz", phone="+1 (212) 555-0111", birth_date="1990-02-03")
    make_patient("Núñez Quill", "Zoë", phone="212.555.0112", birth_date="2001-01-01")
    make_patient("Quid", "Abe", phone=None, birth_date=None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "quill"}, ["Paz", "Pia", "Zoë"]),
        ({"name": "QUILLO"}, ["Paz"]),
        ({"name": "qui p"}, ["Paz", "Pia"]),
        ({"name": "nunez zoe"}, ["Zoë"]),
        ({"name": "uill"}, []),
        ({"name": "Quilloni"}, []),
        ({"phone": "(212) 555-0111"}, ["Paz"]),
        ({"phone": "2125550112"}, ["Zoë"]),
        ({"birth_date": "1990-02-03"}, ["Ned", "Paz", "Pia"]),
        ({"birth_date": "1990-02-03", "name": "pi"}, ["Pia"]),
        ({"mrn": "mrn quill pia"}, ["Pia"]),
        ({"mrn": "MRN-Quill-Pia", "name": "ned"}, []),
    ],
)
def test_what_is_given_must_all_fit(asked: dict[str, str], found: list[str], cast: Cast, others: None) -> None:
    assert names(search_patients(by=cast.desk, **asked)) == found


def test_a_search_is_recorded_whether_or_not_it_finds_anybody(cast: Cast, acts: Acts) -> None:
    search_patients(by=cast.desk, name="quill", mrn=" ")
    search_patients(by=cast.desk, phone="999", birth_date="1900")
    assert acts() == [Act.PATIENT_SEARCHED] * 2
    told = Entry.objects.filter(act=Act.PATIENT_SEARCHED).order_by("id").values_list("detail", flat=True)
    assert list(told) == ['{"by":"name","found":1}', '{"by":"birth_date phone","found":0}']


def test_candidates_that_are_others_are_no_openings(cast: Cast, others: None) -> None:
    # "quill" has the prefix token "quill", as Quillon and Núñez Quill have: all are compared, one is left.
    found = search_patients(by=cast.desk, name="quillon")
    assert current().openings == {}
    assert names(found) == ["Paz"]
    assert set(current().openings) == {found[0].pk}


@pytest.mark.parametrize("asked", [{}, {"name": "  "}, {"name": "-.'"}, {"name": "q"}, {"mrn": "", "phone": " "}])
def test_nothing_is_not_everything(asked: dict[str, str], cast: Cast) -> None:
    with pytest.raises(NothingToSearch):
        search_patients(by=cast.desk, **asked)


@pytest.mark.parametrize(("who", "found"), [("pia", ["Pia"]), ("ned", []), ("gus", ["Pia"]), ("dr_cho", []), ("nan", ["Pia"])])
def test_a_search_finds_nobody_whom_one_may_not_see(who: str, found: list[str], cast: Cast) -> None:
    assert names(search_patients(by=getattr(cast, who), name="quill")) == found


@pytest.mark.parametrize("who", ["privacy", "admin", "system"])
def test_who_has_no_business_with_patients_does_not_search(who: str, cast: Cast) -> None:
    with pytest.raises(Refused):
        search_patients(by=getattr(cast, who), name="quill")


@pytest.mark.parametrize("asked", ["mrn=1", "phone=1", "name=quill", "birth_date=1990-02-03"])
def test_what_is_looked_for_is_not_taken_from_an_address(asked: str, cast: Cast, client_for: ClientFor) -> None:
    answer = client_for(cast.desk).get(f"/api/v1/patients/?{asked}")
    assert answer.status_code == 400
