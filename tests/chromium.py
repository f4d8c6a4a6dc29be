"""A real Chromium for the tests: the machine's own, else one that is installed now, else a failure that says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ADVICE = "browser tests need Chromium: install your system's package `chromium`, or run `.venv/bin/python -m playwright install chromium`"
FLAGS = [
    "--no-sandbox",  # root in a container
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def executable() -> str:
    """The path of a Chromium, installed when there is none; RuntimeError with advice when that fails."""
    found = _find() or _from_the_system() or _from_the_driver()
    if found is None:
        raise RuntimeError(ADVICE)
    return found


def _find() -> str | None:
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    return named or (str(MAC) if MAC.exists() else None) or _drivers_own()


def _drivers_own() -> str | None:
    """One that the browser driver installed before; its folder name carries the revision."""
    cache = Path("~/Library/Caches/ms-playwright" if sys.platform == "darwin" else "~/.cache/ms-playwright").expanduser()
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or cache)
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    found = sorted(path for pattern in patterns for path in root.glob(pattern))
    return str(found[-1]) if found else None


def _from_the_system() -> str | None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return None
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        if not _runs([apt, *command], environment):
            return None
    return _find()


def _from_the_driver() -> str | None:
    return _find() if _runs([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ)) else None


def _runs(command: list[str], environment: dict[str, str]) -> bool:
    try:
        return subprocess.run(command, env=environment, capture_output=True, timeout=300, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
