"""What a storm test needs of the machine. It fails and names what is missing: a storm never passes by leaving something out."""

import os
import shutil

import pytest

PACKAGES = {"ip": "iproute2", "unshare": "util-linux", "turnserver": "coturn"}


def missing(*programs: str, root: bool = False, path: str | None = None) -> list[str]:
    """What of it is not there, in words for whoever has to install it."""
    found = [f"`{name}` (package {PACKAGES.get(name, name)})" for name in programs if shutil.which(name, path=path) is None]
    return [*found, "root"] if root and os.geteuid() != 0 else found


def need(*programs: str, root: bool = False) -> None:
    """Fail the test unless the machine has all of it."""
    if absent := missing(*programs, root=root):
        pytest.fail(f"this test needs {', '.join(absent)}", pytrace=False)
