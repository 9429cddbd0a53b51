"""The broker of the toy registry that kills itself in the middle of a write: see dying.py."""

import sys
from pathlib import Path

from tests.engine.dying import install
from tests.engine.toy import REGISTRY
from workbench.engine.address import Address
from workbench.engine.broker import run_broker

if __name__ == "__main__":
    install()
    sys.exit(run_broker(REGISTRY, Address(Path(sys.argv[1])), "tests.engine.toy_child"))
