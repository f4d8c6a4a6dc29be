"""docs/access.md out of the access table, so that the two cannot differ."""

from telehealth.accounts.access import APP_SCOPES, TABLE, Action, Resource, Role, Scope, scopes
from telehealth.accounts.access_fields import FIELDS

HEAD = """# Who may do what

Rendered from `telehealth/accounts/access.py` by `manage.py access_table`; a test fails when this page is stale.
A cell that is empty is a no: the answer is the same 404 as for what does not exist, and the refusal is on record.
Every role needs two factors before any of this.

| scope | which rows |
|---|---|
"""
MEANING = {
    Scope.OWN: "one's own record, account, sessions",
    Scope.DELEGATED: "records of people who gave this person access, or whose guardian this person is",
    Scope.CARE: "patients with an active care relationship (a nurse's: with any practitioner of the clinic)",
    Scope.EMERGENCY: "one patient's record, for an hour at most, after an emergency was declared in this session; always reviewed",
    Scope.DESK: "any patient of the clinic, for contact data and the schedule; never the chart",
    Scope.ALL: "not narrowed: what belongs to no patient, and who did what for the privacy officer",
}
FIELDS_HEAD = """
## Which fields

The minimum necessary (45 CFR 164.502(b)), rendered from `telehealth/accounts/access_fields.py`: whoever may see a row by the
tables above is shown these fields of it. A field that stands here for nobody is shown to nobody, and is not decrypted.

| resource | fields | roles |
|---|---|---|
"""

APPS = """
## What apps are given

An app has what its person's role and its scopes both have: a scope lends the cells below as the role patient has them, and
whoever is something else keeps of those what their own role has too. No scope adds anything, nor do several together.

| scope of apps | cells |
|---|---|
"""


def render() -> str:
    """The whole page."""
    legend = "".join(f"| {scope} | {MEANING[scope]} |\n" for scope in Scope)
    return HEAD + legend + APPS + "".join(map(_app_scope, APP_SCOPES)) + "".join(map(_role, Role)) + _fields()


def _app_scope(name: str) -> str:
    if APP_SCOPES[name] == TABLE[Role.PATIENT]:
        return f"| `{name}` | all of the patient's |\n"
    cells = [f"{resource}: {', '.join(row)}" for resource, row in sorted(APP_SCOPES[name].items()) if row]
    return f"| `{name}` | {'; '.join(cells)} |\n"


def _role(role: Role) -> str:
    lines = [f"\n## {role.replace('_', ' ')}\n\n", "| resource | " + " | ".join(Action) + " |\n", "|---" * (len(Action) + 1) + "|\n"]
    lines += [
        f"| {resource} | " + " | ".join(_cell(role, action, resource) for action in Action) + " |\n"
        for resource in Resource
        if resource in TABLE[role]
    ]
    return "".join(lines)


def _fields() -> str:
    rows = [
        f"| {resource} | {group.purpose}: {', '.join(f'`{name}`' for name in sorted(group.fields))} | {_named(group.roles)} |\n"
        for resource, groups in FIELDS.items()
        for group in groups
    ]
    return FIELDS_HEAD + "".join(rows)


def _named(roles: frozenset[Role]) -> str:
    return ", ".join(role.replace("_", " ") for role in Role if role in roles)


def _cell(role: Role, action: Action, resource: Resource) -> str:
    held = scopes(role, action, resource)
    return ", ".join(scope for scope in Scope if scope in held)
