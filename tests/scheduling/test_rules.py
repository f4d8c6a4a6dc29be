"""Every rule against everybody."""

from uuid import uuid4

import pytest

from audit.ledger import ANONYMOUS, SYSTEM, Actor
from scheduling import rules
from telehealth.accounts.access import Role
from telehealth.core.permission import Rule

MAY: dict[Rule, set[str]] = {
    rules.may_overbook: {"provider", "front_desk"},
    rules.may_conclude: {"provider", "nurse", "front_desk", "system"},
    rules.may_define_visit_types: {"administrator", "system"},
    rules.may_set_hours: {"administrator", "system"},
    rules.may_import_busy: {"administrator", "system"},  # and whose calendar it is: test_closures
    rules.may_publish_calendar: {"provider"},
    rules.may_read_calendars: {"provider"},
    rules.may_plan_group_visits: {"front_desk", "administrator"},
    rules.may_cancel_group_visits: {"front_desk", "administrator"},
    rules.may_define_resources: {"administrator", "system"},
    rules.may_change_resources: {"administrator", "system"},
    rules.may_reassign: {"front_desk", "administrator", "system"},
}
EVERYBODY = [SYSTEM, ANONYMOUS, Actor(id=uuid4(), role="no such role"), *(Actor(id=uuid4(), role=role) for role in Role)]


@pytest.mark.parametrize("rule", MAY, ids=lambda rule: rule.__name__)
def test_who_may(rule: Rule) -> None:
    assert {str(by.role) for by in EVERYBODY if rule(by, None) is True} == MAY[rule]


def test_every_rule_is_in_the_table() -> None:
    assert {name for name in vars(rules) if name.startswith("may_")} == {rule.__name__ for rule in MAY}


def test_an_app_acts_for_patients_only() -> None:
    lent = Actor(id=uuid4(), role=Role.ADMINISTRATOR, client="some-app", scopes=frozenset({"patient"}))
    assert not rules.may_set_hours(lent, None)
    assert not rules.may_define_visit_types(lent, None)
