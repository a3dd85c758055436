"""`python -m billing.dev run|test|bench|manage ...`: sets up what is missing, then does it."""

from __future__ import annotations

import sys
from importlib import import_module

from billing.dev import catalogues, python_env
from billing.dev.state import SetupError, give_up

COMMANDS = {"run": "supervisor", "test": "testing", "bench": "benching", "manage": "manage"}


def main() -> int:
    name, *arguments = sys.argv[1:]
    try:
        python_env.enter(name, arguments)
        catalogues.compile_all()
        command = import_module(f"billing.dev.{COMMANDS[name]}")
        return int(command.main(arguments))
    except SetupError as problem:
        give_up(f"./{name}: {problem}")
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
