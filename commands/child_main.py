"""Starts the process with the model: `python -m commands.child_main FD`; only the broker does."""

from __future__ import annotations

import os
import sys

from commands.handlers import handler_of
from commands.line import format_line
from commands.registry import lookup
from workbench.engine.child import run_child
from workbench.engine.registry import Registry

# Without this, pydantic reads the entry points of every installed package: a tenth of a second at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> None:
    """Serve the broker on the file descriptor named by the first argument."""
    run_child(Registry(lookup, handler_of, format_line), int(sys.argv[1]))


if __name__ == "__main__":
    main()
