"""What asking a language model costs: prices from a dated table, an estimate before, and a cap that is never passed."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import BudgetSpent, InputFileError

TABLE = "prices.json"
LETTERS_A_TOKEN, FEWEST_LETTERS = 3.5, 2.0
"""Letters of a token on the average, for estimates, and at the least, for the cap."""


@dataclass(frozen=True)
class Price:
    """Of one model, in dollars for a million tokens.

    Attributes:
        as_of: when the table was written.
        batch_share: what a batch costs of a live call.
        cache_write_share: what writing to the prompt cache costs of plain input.
    """

    input: float
    output: float
    cache_read: float
    as_of: str
    batch_share: float
    cache_write_share: float

    def of_usage(self, usage: Mapping[str, int], *, batch: bool) -> float:
        """Dollars of what a reply says it used."""
        tokens = (
            usage.get("input_tokens", 0) * self.input
            + usage.get("cache_creation_input_tokens", 0) * self.input * self.cache_write_share
            + usage.get("cache_read_input_tokens", 0) * self.cache_read
            + usage.get("output_tokens", 0) * self.output
        )
        return tokens / 1e6 * (self.batch_share if batch else 1.0)


def price_of(model: str, home: Path) -> Price:
    """The price of a model, from the user's own table where there is one.

    Raises:
        InputFileError: the table cannot be read, or does not hold the model.
    """
    own = home / TABLE
    path = own if own.is_file() else Path(__file__).with_name(TABLE)
    try:
        table: dict[str, Any] = json.loads(path.read_text("utf-8"))
        row = table["models"].get(model)
        shares = float(table["batch_share"]), float(table["cache_write_share"])
        if row is not None:
            return Price(
                float(row["input"]), float(row["output"]), float(row["cache_read"]), str(table["as_of"]), *shares
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(f"the table of prices {path} cannot be read ({error})", "Mend or remove it.") from error
    raise InputFileError(
        f"the table of prices holds no model {model!r}",
        f"Known: {', '.join(table['models'])}. Add it to {own} (a copy of {Path(__file__).with_name(TABLE).name}).",
    )


class Budget:
    """What may be spent, was spent, and is under way; safe between threads.

    Args:
        price: of the model that is asked.
        cap: dollars that are never passed.
        batch: whether calls are of a batch.
    """

    def __init__(self, price: Price, cap: float, *, batch: bool = False) -> None:
        self.price = price
        self.cap = cap
        self.spent = 0.0
        self._batch = batch
        self._held = 0.0
        self._lock = threading.Lock()

    def most(self, letters: int, most_output: int) -> float:
        """The most that a call can cost."""
        usage = {"cache_creation_input_tokens": int(letters / FEWEST_LETTERS) + 1, "output_tokens": most_output}
        return self.price.of_usage(usage, batch=self._batch)

    def hold(self, amount: float) -> None:
        """Set an amount aside before a call.

        Raises:
            BudgetSpent: it could pass the cap.
        """
        with self._lock:
            if self.spent + self._held + amount > self.cap:
                raise BudgetSpent(
                    f"the budget of ${self.cap:g} could be passed (${self.spent:.4f} spent)",
                    "What was answered is kept. Give a larger --budget to go on.",
                )
            self._held += amount

    def settle(self, amount: float, usage: Mapping[str, int] | None) -> None:
        """Replace an amount that was set aside by what was used; nothing where no reply came."""
        with self._lock:
            self._held -= amount
            if usage is not None:
                self.spent += self.price.of_usage(usage, batch=self._batch)
