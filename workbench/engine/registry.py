"""The verbs, as they are handed to the engine: how to find one, carry it out, and say it in a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from workbench.errors import UsageError
from workbench.run import Resolve
from workbench.verbs import Verb


@dataclass(frozen=True)
class Registry:
    """What the engine needs to know about verbs.

    Args:
        lookup: gives the class of a dotted name, or raises UnknownNameError.
        resolve: gives the handler of a class.
        describe: gives the text line of a verb, for job lists and events.
    """

    lookup: Callable[[str], type[Verb]]
    resolve: Resolve
    describe: Callable[[Verb], str]

    def make(self, name: str, params: dict[str, Any]) -> Verb:
        """The verb of a request.

        Raises:
            UnknownNameError: no such verb.
            UsageError: parameters that do not fit it.
        """
        verb = self.lookup(name)
        try:
            return verb.model_validate(params)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "value"
            raise UsageError(
                f"{name}: {where} is {str(first['input'])[:80]!r}", f"{first['msg'][:1].upper()}{first['msg'][1:]}."
            ) from error
