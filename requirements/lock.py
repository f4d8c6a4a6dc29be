"""Pin both sets by hash, for every supported Python and platform; no address of an index gets into the files."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMON = [
    "--universal",
    "--generate-hashes",
    "--python-version",
    "3.11",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--upgrade",
]


def main() -> int:
    for name, extra in (("runtime", []), ("dev", ["--constraint", "requirements/runtime.txt"])):
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *COMMON, *extra]
        command += [f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt"]
        done = subprocess.run(command, cwd=HERE.parent, check=False)  # noqa: S603 - fixed
        if done.returncode != 0:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
