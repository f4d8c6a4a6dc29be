"""Make `.venv` and install one of the two pinned sets into it; nothing happens when that is done already.

Run by make with the system's Python, so it needs nothing but the standard library.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parent / ".venv"
PYTHON = VENV / "bin" / "python"


def main(wanted: str) -> int:
    # The bigger set contains the smaller, so one installation answers for both.
    contained = {"runtime": ["runtime"], "dev": ["runtime", "dev"]}[wanted]
    if _current(wanted):
        return 0
    with (HERE / "runtime.in").open() as lock:  # two starts side by side: the second finds the work done
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _current(wanted):
            return 0
        if not _works() and not _make_venv():
            return 1
        if not _install(wanted):
            return 1
        for name in contained:
            shutil.copyfile(HERE / f"{name}.txt", _stamp(name))
    return 0


def _stamp(name: str) -> Path:
    """The set as it was installed, kept to be compared."""
    return VENV / f"installed-{name}.txt"


def _current(name: str) -> bool:
    stamp = _stamp(name)
    return stamp.exists() and stamp.read_bytes() == (HERE / f"{name}.txt").read_bytes() and _works()


def _works() -> bool:
    """Whether the environment's interpreter still runs; after an upgrade or a move of the system's it does not."""
    try:
        return subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed
    except OSError:
        return False


def _make_venv() -> bool:
    try:
        import ensurepip  # noqa: F401 - Debian and others leave it out of their Python
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return _complain(f"this Python cannot make environments: install python{version}-venv, or name another Python with PYTHON=")
    for name in ("runtime", "dev"):
        _stamp(name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "venv", "--clear", VENV]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    return done.returncode == 0 or _complain(f"the environment .venv cannot be made: {_last_line(done.stderr or done.stdout)}")


def _install(name: str) -> bool:
    print(f"Installing {name} dependencies into .venv (once)", file=sys.stderr, flush=True)  # noqa: T201 - a command
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--require-hashes", "--no-deps", "-r", HERE / f"{name}.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    return done.returncode == 0 or _complain(f"the dependencies cannot be installed: {_last_line(done.stderr or done.stdout)}")


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no reason given"])[-1].removeprefix("ERROR: ")


def _complain(message: str) -> bool:
    print(message, file=sys.stderr)  # noqa: T201 - a command
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
