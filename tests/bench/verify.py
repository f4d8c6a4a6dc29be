"""Verifying and proving: a million sealed entries (`SCALE=7`: ten million), as `verify_audit` reads them.

Rates are of the wall clock and need two cores that nobody else uses.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection

from audit.ledger.proving import Prover, place_of
from audit.ledger.sealing import Sealer
from config import env
from tests.audit.seeding import seed
from tests.bench.measure import Figure, figure

JOBS = 2
PROOFS = 200


def figures() -> Iterator[Figure]:
    count = 10 ** int(os.environ.get("SCALE", "6"))
    with tempfile.TemporaryDirectory() as folder:
        settings.AUDIT_CHECKPOINTS = Path(folder)
        seed(count, months=6, sealer=Sealer())
        yield from _verifying(count)
        yield from _proving()


def _verifying(count: int) -> Iterator[Figure]:
    note = settings.AUDIT_CHECKPOINTS / "checkpoint"
    _, idle, _ = _verified("--since", str(note))  # everything loaded, no entry read
    rates, inner, peaks = [], [], []
    for _ in range(3 if count <= 10**6 else 1):
        taken, peak, report = _verified()
        assert report["ok"], report["damages"]
        rates.append(report["entries"] / taken)
        inner.append(report["entries"] / report["seconds"])
        peaks.append(peak)
    yield figure(f"audit.verified_{count}", statistics.median(rates), "per second", 100_000)
    yield figure(f"audit.verified_{count}_without_starting_python", statistics.median(inner), "per second")
    yield figure(f"audit.verified_{count}_memory", max(peaks), "MB")
    yield figure(f"audit.verified_{count}_memory_above_nothing_read", max(peaks) - idle, "MB", 32)


def _verified(*more: str) -> tuple[float, float, dict[str, Any]]:
    """The whole command: start, two processes, end; and the most memory that one process of it had."""
    given = connection.settings_dict
    url = f"postgresql:///{given['NAME']}?host={given['HOST']}&user={given['USER']}" + (f"&port={given['PORT']}" if given["PORT"] else "")
    line = [sys.executable, "manage.py", "verify_audit", "--json", "--jobs", str(JOBS), "--against", str(settings.AUDIT_CHECKPOINTS), *more]
    began = time.perf_counter()
    with subprocess.Popen(line, cwd=env.BASE_DIR, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE) as process:
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, *map(_peak_of, [process.pid, *_children(process.pid)]))
            time.sleep(0.05)
        taken = time.perf_counter() - began
        told = process.communicate()[0]
    assert process.returncode == 0, told
    return taken, peak, json.loads(told)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()] if path.exists() else []


def _peak_of(pid: int) -> float:
    """MB, since it began to run this program; getrusage would count what it was forked from. 0 where there is no /proc."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    return 0.0


def _proving() -> Iterator[Figure]:
    """A proof for entries anywhere in the log: its place from the database, its path from tiles not read before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(leaf_index) FROM audit_leaf")
        newest = cursor.fetchone()[0]
        chance = Random(7)
        cursor.execute("SELECT entry_id FROM audit_leaf WHERE leaf_index = ANY(%s)", [[chance.randrange(newest) for _ in range(PROOFS)]])
        ids = [row[0] for row in cursor.fetchall()]
    taken = []
    for entry in ids:
        began = time.perf_counter()
        prover, place = Prover(), place_of(entry)
        assert place is not None
        path = prover.path(place)
        taken.append(time.perf_counter() - began)
        assert path
    yield figure("audit.inclusion_proof_median", statistics.median(taken) * 1000, "ms", 5)
    yield figure("audit.inclusion_proof_p95", statistics.quantiles(taken, n=20)[-1] * 1000, "ms", 5)
