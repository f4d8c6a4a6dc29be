"""The index key changes while people register, sign in and are looked for."""

import pytest
from django.db import IntegrityError, transaction

from telehealth.vault.models import IndexPhase

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("index_phase_is_one_row", {"id": 2}),
        ("index_phase_knows_where_it_goes", {"phase": "filling"}),
        ("index_phase_knows_where_it_goes", {"coming": 2}),
    ],
)
def test_the_phase_is_one_row_that_makes_sense(name: str, values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        IndexPhase.objects.create(**values)
    IndexPhase.objects.create(phase="filling", coming=2)
