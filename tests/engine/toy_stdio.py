"""The byte pipe to the toy engine, as a process: `python -m tests.engine.toy_stdio`."""

import sys

from workbench.engine.stdio import pipe

if __name__ == "__main__":
    sys.exit(pipe("tests.engine.toy_broker"))
