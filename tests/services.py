"""A temporary home with services of its own, for the suite and for whatever else needs settings that can be read."""

import os
import shutil
import tempfile
from pathlib import Path

from config import env
from config import home as homes
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey

NOBODY_THERE = "http://127.0.0.1:9"


class Services:
    """A temporary home with its own services; those that the operator names by URL are used instead."""

    def __init__(self, *, disposable: bool = True) -> None:
        self.disposable = disposable  # whether the database may forget what it has promised, for speed
        # Not below pytest's own directories: as root, PostgreSQL runs as `nobody`, who must reach it.
        self.root = Path(tempfile.mkdtemp(prefix="telehealth-test-"))
        self.root.chmod(0o711)
        self.home = homes.Home(self.root / "home")
        self.running: list[Postgres | Valkey] = []

    def start(self) -> None:
        self._forget_the_machine()
        homes.make(self.home)
        os.environ.update(homes.make_keys(self.home), TELEHEALTH_HOME=str(self.home.root))
        if not os.environ.get("DATABASE_URL"):
            postgres = Postgres(self.home, disposable=self.disposable)
            self.running.append(postgres)
            postgres.start()
            os.environ.update(DATABASE_URL=postgres.url("app"), MIGRATION_DATABASE_URL=postgres.url("owner"))
        if not os.environ.get("REDIS_URL"):
            valkey = Valkey(self.home)
            self.running.append(valkey)
            valkey.start()
            os.environ["REDIS_URL"] = valkey.url
        os.environ.update(ALLOWED_HOSTS="localhost,127.0.0.1,testserver", PUBLIC_URL="http://localhost:8000")
        os.environ.update(PHARMACY_NETWORK_URL=NOBODY_THERE, CATCHER_URL=NOBODY_THERE, SCRIPT_CLINIC_ID="clinic-1")
        os.environ.update(CLINIC_ADDRESS="1 Harbor Way; Quincy; MA; 02169", CLINIC_PHONE="617-555-0100")

    def _forget_the_machine(self) -> None:
        """Neither a demonstration's telehealth.env nor the operator's own keys reach the tests."""
        for name in env.LOADED | homes.KEYS.keys() - {*homes.PASSWORD_OF.values()} | {"TELEHEALTH_DEMO"}:
            os.environ.pop(name, None)

    def stop(self) -> None:
        for service in reversed(self.running):
            service.stop()
        shutil.rmtree(self.root, ignore_errors=True)
