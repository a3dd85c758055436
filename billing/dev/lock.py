"""`python -m billing.dev.lock`: pins all packages with hashes, from pyproject.toml. Run it after a change there.

Two locks: `requirements.lock` for a production image, `requirements-dev.lock` for a clone (the same pins and more).
Neither names an index, so that each place uses its own.
"""

from __future__ import annotations

import subprocess
import sys

from billing.dev.state import CLONE

OPTIONS = [
    *(
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
    ),
    *("--no-emit-index-url", "--no-emit-find-links"),
]


def compile_lock(name: str, *options: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *options, "pyproject.toml", "-o", name]
    subprocess.run([*command, *sys.argv[1:]], cwd=CLONE, check=True)


def main() -> None:
    compile_lock("requirements-dev.lock", "--group", "dev")
    compile_lock("requirements.lock", "--constraints", "requirements-dev.lock")


if __name__ == "__main__":
    main()
