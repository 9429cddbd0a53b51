"""What each verb does; loaded by name, never by the front ends.

The handler of `features.contrast` is what `commands/handlers/features/` calls `contrast`: a group with several
subjects is a folder whose `__init__` names its handlers, a small one a module. A verb whose name is a Python keyword
or builtin has a trailing underscore (`stimuli.import` -> `import_`), and a verb without a group lives in the module
of its own name (`report` -> `commands/handlers/report.py`).
"""

from __future__ import annotations

import builtins
import importlib
import keyword
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from workbench.lab import Lab
    from workbench.verbs import Outcome, Verb

Handler = Callable[[Any, "Lab"], "Outcome"]


def handler_of(verb: type[Verb]) -> Handler:
    """The function that carries a verb out; importing it costs what its module imports."""
    group, _, name = verb.dotted.rpartition(".")
    function = f"{name}_" if keyword.iskeyword(name) or hasattr(builtins, name) else name
    module = importlib.import_module(f"commands.handlers.{group or name}")
    return cast("Handler", getattr(module, function))
