"""A broker whose model process cannot start."""

import sys
from pathlib import Path

from tests.engine.toy import REGISTRY
from workbench.engine.address import Address
from workbench.engine.broker import run_broker

if __name__ == "__main__":
    sys.exit(run_broker(REGISTRY, Address(Path(sys.argv[1])), "tests.engine.no_such_child"))
