import pytest

from telehealth.core.permission import Rule
from telehealth.records import rules
from tests.cast import Cast

EVERYBODY = {"pia", "ned", "gus", "dr_cho", "dr_dee", "nan", "desk", "biller", "privacy", "admin", "system"}


@pytest.mark.parametrize(
    ("rule", "who_may"),
    [(rules.may_import, {"nan"}), (rules.may_search, {"pia", "ned", "gus", "dr_cho", "dr_dee", "nan", "desk", "biller"})],
)
def test_each_rule_has_its_verdict_on_each_of_the_cast(rule: Rule, who_may: set[str], cast: Cast) -> None:
    assert {name for name, actor in cast if rule(actor, None) is True} == who_may
    assert EVERYBODY == {name for name, _ in cast}
