"""Web, sealer and PostgreSQL under kill -9, while a patient's app reads the record: what is answered is on record, and the log verifies."""

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from config import env
from config.embedded.process import named
from tests.audit.elsewhere import Elsewhere
from tests.live import free_port

PATIENCE = 60.0  # seconds until the clinic answers again
READERS = 4


@dataclass
class Clinic:
    """Web and sealer over the restored cluster, and readers who ask all the time; `answered` are the ids of requests with status 200."""

    elsewhere: Elsewhere
    path: str
    token: str
    port: int = field(default_factory=free_port)
    answered: list[str] = field(default_factory=list)
    refused: int = 0
    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str) -> None:
        commands = {"web": ["-m", "config.serve", "ws"], "sealer": ["manage.py", "seal_audit", "--every", "0.1"]}
        settings = {"PORT": str(self.port), "BEHIND_PROXY": "1", "WORKERS": "1"}
        environment = self.elsewhere.environment("sealer" if name == "sealer" else "app")
        with open(self.elsewhere.home.logs / f"{name}.log", "ab") as log:
            self.children[name] = subprocess.Popen(
                [sys.executable, *commands[name]], cwd=env.BASE_DIR, env=environment | settings, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """SIGKILL, then a start as the supervisor would make it. PostgreSQL loses all its processes at once."""
        if name == "postgres":
            for pid in named("postgres", self.elsewhere.postgres.mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.elsewhere.postgres.start()
            return
        self.children[name].kill()
        self.children[name].wait()
        self.start(name)

    def end(self) -> None:
        self.over.set()
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(20)
            finally:
                child.kill()

    def wait_for_answers(self, count: int) -> None:
        """Until so many more requests have been answered."""
        wanted, deadline = len(self.answered) + count, time.monotonic() + PATIENCE
        while len(self.answered) < wanted:
            assert time.monotonic() < deadline, f"no answer for {PATIENCE} s; {(self.elsewhere.home.logs / 'web.log').read_text()[-2000:]}"
            self.over.wait(0.01)

    def read(self) -> None:
        """One app: request after request, on a new connection whenever one breaks."""
        headers = {"Authorization": f"Bearer {self.token}", "X-Forwarded-Proto": "https", "Host": "localhost"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self.over.is_set():
            try:
                connection.request("GET", self.path, headers=headers)
                reply = connection.getresponse()
                content = reply.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self.over.wait(0.05)
                continue
            if reply.status == 200 and json.loads(content)["id"]:
                self.answered.append(reply.headers["X-Request-Id"])
            else:
                self.refused += 1
                self.over.wait(0.02)


@contextmanager
def clinic(elsewhere: Elsewhere, path: str, token: str) -> Iterator[Clinic]:
    made = Clinic(elsewhere, path, token)
    readers = [threading.Thread(target=made.read) for _ in range(READERS)]
    try:
        made.start("sealer")
        made.start("web")
        for reader in readers:
            reader.start()
        yield made
    finally:
        made.end()
        for reader in readers:
            if reader.ident:
                reader.join()


def storm(elsewhere: Elsewhere, path: str, token: str, victims: list[str], chance: random.Random) -> list[str]:
    """Kill each victim after a random number of further answers; the ids of all requests that were answered."""
    with clinic(elsewhere, path, token) as made:
        made.wait_for_answers(1)
        for victim in victims:
            made.wait_for_answers(chance.randint(1, 40))
            made.over.wait(chance.random() * 0.3)
            made.kill(victim)
        made.wait_for_answers(20)
    return made.answered


def check(elsewhere: Elsewhere, answered: list[str], record: UUID) -> None:
    """No read answered without its entry, nothing sealed twice, the log verifies."""
    sealed = elsewhere.manage("seal_audit", "--once")
    assert sealed.returncode == 0, sealed.stderr
    with elsewhere.connect() as connection:
        missing = _rows(
            connection,
            "SELECT a.cid FROM unnest(%s::text[]) AS a (cid) WHERE NOT EXISTS "
            "(SELECT FROM audit_entry e WHERE e.cid = a.cid AND e.act = 'record.opened' AND e.record_id = %s)",
            answered,
            record,
        )
        assert not missing, f"{len(missing)} of {len(answered)} reads were answered without an entry"
        (leaves, entries, last), *_ = _rows(connection, "SELECT count(*), count(DISTINCT entry_id), max(leaf_index) FROM audit_leaf")
        assert leaves == entries == last + 1, "sealed twice, or with a gap"
    report = elsewhere.manage("verify_audit", "--json")
    assert report.returncode == 0, report.stdout + report.stderr
    assert json.loads(report.stdout)["tree_size"] >= len(answered)


def _rows(connection: Any, statement: str, *parameters: Any) -> list[Any]:
    found: list[Any] = connection.execute(statement.encode(), parameters or None).fetchall()
    return found
