"""`python -m tests.throwaway COMMAND ...`: run a command with production settings, throw-away keys and services of its own."""

import os
import subprocess
import sys

from tests.services import Services


def main() -> int:
    services = Services()
    try:
        services.start()
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        return subprocess.run(sys.argv[1:], check=False).returncode
    finally:
        services.stop()


if __name__ == "__main__":
    sys.exit(main())
