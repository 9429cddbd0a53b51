"""Starts the engine's broker: `python -m commands.broker_main [SOCKET]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from commands.handlers import handler_of
from commands.line import format_line
from commands.registry import lookup
from workbench.engine.address import Address, engine_address
from workbench.engine.broker import run_broker
from workbench.engine.registry import Registry

REGISTRY = Registry(lookup, handler_of, format_line)


# Without this, pydantic reads the entry points of every installed package: a tenth of a second at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> int:
    """Listen on the socket named by the first argument, or on this user's own."""
    address = Address(Path(sys.argv[1])) if len(sys.argv) > 1 else engine_address()
    return run_broker(REGISTRY, address, "commands.child_main")


if __name__ == "__main__":
    sys.exit(main())
