"""`python -m config.keys DIRECTORY`: make the keys of a new installation there, and print the settings that lead to them.

What exists is kept. Keep a copy of that directory apart from the database's backups: without the vault's keyring they are noise.
"""

import sys
from pathlib import Path

from config.home import PASSWORD_OF, Home, make_keys


def main(directory: str) -> int:
    home = Home(Path(directory).absolute())
    home.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, path in make_keys(home).items():
        if name.removesuffix("_FILE") not in PASSWORD_OF.values():  # one's own database has passwords of its own
            sys.stdout.write(f"{name}={path}\n")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m config.keys DIRECTORY")
    sys.exit(main(sys.argv[1]))
