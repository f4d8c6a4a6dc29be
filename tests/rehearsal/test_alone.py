"""Nothing contacts a host that the operator did not configure: a whole visit where there is no other host."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import BASE_DIR
from tests.live import environment, place
from tests.needs import missing, need
from tests.rehearsal.alone import NETWORK


@pytest.mark.storm
def test_a_whole_visit_in_a_network_of_its_own_sends_nothing_out() -> None:
    need("ip", "unshare", root=True)
    with place() as home:
        command = ["unshare", "-n", "sh", "-c", NETWORK, "sh", sys.executable, "-m", "tests.rehearsal.alone", str(home)]
        done = subprocess.run(command, cwd=BASE_DIR, env=environment(home), capture_output=True, text=True, timeout=420, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])

    assert (seen["code"], seen["sent"]) == (0, 0)
    assert json.loads(seen["said"])["audit"]["ok"] is True


def test_what_the_machine_lacks_is_named_and_fails(tmp_path: Path) -> None:
    assert missing("turnserver", "ip", path=str(tmp_path)) == ["`turnserver` (package coturn)", "`ip` (package iproute2)"]
    assert ("root" in missing(root=True)) is (os.geteuid() != 0)
    with pytest.raises(pytest.fail.Exception, match="this test needs `no-such-program`"):
        need("no-such-program")
