from audit.ledger import uuid7
from telehealth.core.demo import DemoClinic
from telehealth.records import demo
from telehealth.records.importing.reading import npi_valid
from telehealth.records.models import Organization
from telehealth.records.selectors import practitioner_of, practitioners
from tests.cast import Cast


def test_the_demonstration_has_four_practitioners_and_making_it_twice_adds_none(cast: Cast) -> None:
    clinic = DemoClinic(accounts={key: uuid7() for key in ("cho", "dee", "eli", "fay")})
    before = practitioners().count()
    demo.make(clinic)
    demo.make(clinic)

    assert practitioners().count() == before + 4 and Organization.objects.count() == 1
    for key in ("cho", "dee", "eli", "fay"):
        found = practitioner_of(clinic.accounts[key])
        assert found and found.pk == clinic.ids[f"practitioner_{key}"]
        assert npi_valid(found.npi) and found.npi_valid
        states = set(found.licenses.values_list("state", flat=True))
        assert "MA" in states and len(states) > 1
