"""Dump and restore into another cluster, where transaction ids begin anew: the log goes on, nothing is missed or sealed twice."""

import json
import shutil
from typing import Any

from audit.ledger import Act
from audit.ledger.entries import COLUMNS, new_row
from audit.ledger.keys import mac
from audit.ledger.sealing import Sealer
from tests.audit.conftest import Write, seal_all
from tests.audit.elsewhere import restored

INSERT = f"INSERT INTO audit_entry ({', '.join([*COLUMNS, 'mac'])}) VALUES ({', '.join(['%s'] * (len(COLUMNS) + 1))})".encode()


def test_the_log_goes_on_after_dump_and_restore(sealer: Sealer, written: Write) -> None:
    written(3)
    seal_all(sealer)
    waiting = written(2)  # not sealed when the dump was made
    with restored() as elsewhere, elsewhere.connect() as connection:
        shutil.copytree(sealer.tiles.root, elsewhere.home.checkpoints, dirs_exist_ok=True)
        mark, newest = one(
            connection, "SELECT mark, pg_snapshot_xmax(pg_current_snapshot())::text FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1"
        )
        assert int(newest) < int(mark), "transaction ids did not begin anew: this shows nothing"
        row = new_row(act=Act.OBJECT_ACCESSED, channel="task", role="system")
        connection.execute(INSERT, [*(getattr(row, name) for name in COLUMNS), mac(row.text())])

        sealed = elsewhere.manage("seal_audit", "--once")
        assert sealed.returncode == 0, sealed.stderr
        for entry in [*waiting, row.id]:
            assert one(connection, "SELECT count(*) FROM audit_leaf WHERE entry_id = %s", entry) == (1,)
        report = elsewhere.manage("verify_audit", "--json")
        assert report.returncode == 0, report.stdout + report.stderr
        assert json.loads(report.stdout)["unsealed"] <= 1  # that it was verified is an entry too
        size = one(connection, "SELECT max(tree_size) FROM audit_checkpoint")
        assert size == one(connection, "SELECT count(*) FROM audit_leaf") > (sealer.peaks.size,)


def test_an_old_dump_beside_newer_checkpoints_is_not_sealed_on(sealer: Sealer, written: Write) -> None:
    """What an attacker with the owner's privileges, or a careless restore, does: the database is older than what was published."""
    written(1)
    seal_all(sealer)
    with restored() as elsewhere:
        written(2)
        seal_all(sealer)
        shutil.copytree(sealer.tiles.root, elsewhere.home.checkpoints, dirs_exist_ok=True)
        refused = elsewhere.manage("seal_audit", "--once")
        assert refused.returncode != 0
        assert "rolled back" in refused.stderr
        assert elsewhere.manage("verify_audit").returncode != 0
        assert elsewhere.manage("seal_audit", "--after-restore").returncode == 0
        again = elsewhere.manage("verify_audit")
        assert again.returncode == 0, again.stdout


def one(connection: Any, statement: str, *parameters: Any) -> Any:
    return connection.execute(statement.encode(), parameters or None).fetchone()
