"""The panel that tells how the log is doing."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection

from audit.ledger.sealing import _LAG, Sealer
from audit.ledger.status import _UNSEALED, keep_verification, status
from telehealth.accounts.access import Role
from tests.audit.conftest import Write, seal_all
from tests.people import Browser, MakeAccount, Person

ClientFor = Callable[[Person], Browser]
LOG = "/admin/audit/entry/"


def test_the_state_of_the_log_is_told(
    sealer: Sealer, written: Write, make_account: MakeAccount, client_for: ClientFor, transactional_db: None
) -> None:
    written(3)
    seal_all(sealer)
    before = status()
    assert (before.unsealed, before.lag) == (0, 0)
    written(2)
    assert status().unsealed == 2 and status().lag > 0
    keep_verification(size=7, damages=0)
    browser = client_for(make_account(Role.PRIVACY_OFFICER))
    page = browser.get(LOG).content.decode()
    assert f"{before.size} entries" in page and before.root[:16] in page and "all 7 entries fit" in page
    keep_verification(size=7, damages=2, first="edited")
    assert "2 do not fit, the first: edited" in browser.get(LOG).content.decode()
    found = status().verification
    assert found is not None and (found.ok, found.damages, found.first) == (False, 2, "edited")


@pytest.mark.parametrize("statement", [_UNSEALED, _LAG])
def test_the_panel_asks_for_each_entrys_leaf_and_never_reads_all_of_them(transactional_db: None, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", [1] if "%s" in statement else None)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "SubPlan" in plan and "audit_leaf" in plan
    assert "Anti Join" not in plan and "Hash" not in plan, plan


def test_verifying_is_on_record(sealer: Sealer, written: Write) -> None:
    written(2)
    seal_all(sealer)
    call_command("verify_audit")
    found = status().verification
    assert found is not None
    assert (found.ok, found.damages) == (True, 0)
    assert found.size == sealer.peaks.size
