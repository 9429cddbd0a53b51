"""Starts the process with the model: `python -m commands.child_main FD`; only the broker does."""

from __future__ import annotations

import sys

from commands.handlers import handler_of
from commands.line import format_line
from commands.registry import lookup
from workbench.engine.child import run_child
from workbench.engine.registry import Registry


def main() -> None:
    """Serve the broker on the file descriptor named by the first argument."""
    run_child(Registry(lookup, handler_of, format_line), int(sys.argv[1]))


if __name__ == "__main__":
    main()
