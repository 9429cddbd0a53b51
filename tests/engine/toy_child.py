"""The model process of the toy registry: `python -m tests.engine.toy_child FD`."""

import sys

from tests.engine.toy import REGISTRY
from workbench.engine.child import run_child

if __name__ == "__main__":
    run_child(REGISTRY, int(sys.argv[1]))
