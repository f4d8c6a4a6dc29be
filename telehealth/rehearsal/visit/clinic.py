"""The clinic that is rehearsed with: where it is, who may sign in, and how its log is verified."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telehealth.rehearsal.visit.signing_in import Person
from telehealth.rehearsal.visit.web import Failed

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
PATIENCE = 30.0


class NoClinic(Exception):
    """There is nothing to rehearse with; the text says what is missing."""


@dataclass
class Clinic:
    """A running server and the sign-ins of its staff. `home` is set when it runs on this machine."""

    url: str
    sign_ins: list[dict[str, str]]
    home: Path | None

    def people(self, role: str) -> list[Person]:
        """Everybody of a role."""
        found = [entry for entry in self.sign_ins if entry["role"] == role]
        if not found:
            raise Failed(f"the credentials hold no {role}")
        return [Person(entry["email"], entry["password"], entry["totp_secret"], entry.get("name", "")) for entry in found]

    def person(self, role: str) -> Person:
        """The first of a role."""
        return self.people(role)[0]

    async def verify(self, home: Path) -> dict[str, Any]:
        """What `manage.py verify_audit --json` says of the whole log, once everything so far is sealed."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            said = await self._verify_once(home)
            if not said.get("unsealed"):
                return said
            if asyncio.get_running_loop().time() > deadline:
                raise Failed(f"{said['unsealed']} entries are still unsealed")
            await asyncio.sleep(0.5)

    @staticmethod
    async def _verify_once(home: Path) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(MANAGE),
            "verify_audit",
            "--json",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "TELEHEALTH_HOME": str(home)},
        )
        out, _ = await process.communicate()
        try:
            said: dict[str, Any] = json.loads(out)
        except ValueError:
            raise Failed(f"verify_audit ended with {process.returncode}") from None
        if process.returncode != 0:
            raise Failed(f"verify_audit found damage: {json.dumps(said)[:300]}")
        return said


def find(home: Path, url: str, credentials: str) -> Clinic:
    """The clinic of the options, else the one that `make run` has started in this home."""
    running = _read(home / "run.json") or {}
    local = str(running.get("url", ""))
    if not (url or local):
        raise NoClinic(f"nothing runs in {home}: start `make run`, or name a server with --url and --credentials")
    demo = _read(Path(credentials) if credentials else home / "demo.json")
    if not demo or not demo.get("sign_ins"):
        raise NoClinic(f"no sign-ins in {credentials or home / 'demo.json'}")
    here = not url or url.rstrip("/") == local.rstrip("/")
    return Clinic((url or local).rstrip("/"), demo["sign_ins"], home if here else None)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
