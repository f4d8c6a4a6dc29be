"""The environment: nothing to do when it stands, one clear line when it cannot be made."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import BASE_DIR

WITHOUT_ENSUREPIP = (
    "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = ['install', 'runtime']; runpy.run_path({!r}, run_name='__main__')"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout's pinned sets and installer, without an environment, in a path with a space."""
    root = tmp_path / "a check out"
    shutil.copytree(BASE_DIR / "requirements", root / "requirements")
    return root


def install(checkout: Path, name: str = "runtime") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "requirements" / "install.py"), name]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def pretend(checkout: Path, script: str) -> Path:
    """An environment whose interpreter is a script."""
    interpreter = checkout / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text(f"#!/bin/sh\n{script}\n")
    interpreter.chmod(0o755)
    return interpreter


def test_without_ensurepip_it_says_what_to_install(checkout: Path) -> None:
    code = WITHOUT_ENSUREPIP.format(str(checkout / "requirements" / "install.py"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_what_is_installed_is_not_installed_again(checkout: Path) -> None:
    pretend(checkout, 'case "$*" in *install*) echo "$@" >> "$(dirname "$0")/calls";; esac')

    assert install(checkout).returncode == 0
    assert install(checkout).stderr == ""
    (call,) = (checkout / ".venv/bin/calls").read_text().splitlines()
    assert "--require-hashes" in call
    assert "--only-binary=:all:" in call

    (checkout / "requirements/runtime.txt").open("a").write("# changed\n")
    install(checkout)
    assert len((checkout / ".venv/bin/calls").read_text().splitlines()) == 2


def test_the_bigger_set_serves_for_the_smaller(checkout: Path) -> None:
    pretend(checkout, 'case "$*" in *install*) echo "$@" >> "$(dirname "$0")/calls";; esac')

    install(checkout, "dev")
    install(checkout, "runtime")

    assert len((checkout / ".venv/bin/calls").read_text().splitlines()) == 1


def test_a_failed_installation_is_one_line_and_tried_again(checkout: Path) -> None:
    interpreter = pretend(checkout, 'case "$*" in *install*) echo "ERROR: no such file" >&2; echo "hint" >&2; exit 1;; esac')

    done = install(checkout)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "the dependencies cannot be installed: no such file"

    interpreter.write_text("#!/bin/sh\nexit 0\n")
    assert install(checkout).returncode == 0


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_the_pinned_sets_are_whole(name: str) -> None:
    """Every platform's markers, the package that only the oldest Python needs, hashes throughout, no address of an index."""
    lines = (BASE_DIR / "requirements" / f"{name}.txt").read_text().splitlines()
    pins = [line for line in lines if "==" in line and not line.startswith(" ")]
    assert any(line.startswith("async-timeout==") and "python_full_version < '3.11.3'" in line for line in pins)
    assert all(line.endswith("\\") for line in pins)
    assert all(line.startswith("    --hash=sha256:") for line in lines if line not in pins)
    wanted = {
        line.split("#")[0].split(";")[0].split("[")[0].split(">")[0].strip().lower() for line in open(BASE_DIR / f"requirements/{name}.in")
    }
    assert {want.replace("_", "-") for want in wanted if want and not want.startswith("-r")} <= {
        pin.split("==")[0].split("[")[0] for pin in pins
    }


def test_make_says_which_python_it_needs(tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    for name in ("sh", "echo", "test"):
        (tmp_path / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    done = subprocess.run(
        [make, "-s", "-C", str(BASE_DIR), "runtime"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "Python 3.11, 3.12, 3.13 or 3.14 is needed" in done.stderr
