"""`python -m tests.rehearsal.alone HOME`: a clinic and one rehearsal; prints what the rehearsal said and what left by the wire."""

import json
import sys
from pathlib import Path

from tests.live import running

DEVICES = Path("/proc/net/dev")  # of this network namespace, unlike /sys

NETWORK = """
set -e
ip link set lo up
ip link add near type veth peer name far
for end in near far; do echo 1 > /proc/sys/net/ipv6/conf/$end/disable_ipv6; ip link set $end up; done
ip addr add 192.0.2.1/24 dev near
exec "$@"
"""
"""A network with loopback and one wire to nowhere (RFC 5737's addresses): peers have an address, and no route leads out."""


def sent() -> int:
    """Packets that left by the wire: column ten of sixteen."""
    line = next(line for line in DEVICES.read_text().splitlines() if line.strip().startswith("near:"))
    return int(line.partition(":")[2].split()[9])


def main(home: Path) -> None:
    with running(home) as clinic:
        done = clinic.manage("rehearse", "--json", timeout=300)
    print(json.dumps({"code": done.returncode, "said": done.stdout, "sent": sent()}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
