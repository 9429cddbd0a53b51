"""A recorded engine whose ranking is as long as one likes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from tests.screens.stage import TRANSCRIPT
from workbench.engine.fake import FakeEngine, load_transcript
from workbench.verbs import Verb


class LongRanking(FakeEngine):
    """Answers `features.list` with rows made up from the recorded ones."""

    def __init__(self, rows: int) -> None:
        exchanges = load_transcript(TRANSCRIPT)
        super().__init__(exchanges)
        self.rows = rows
        self.model = next(item["reply"] for item in exchanges if item["do"] == "features.list")
        known = [str(row["index"]) for row in self.model["result"]["rows"]]
        self._numbers = [*known, *map(str, range(len(known), rows))]

    async def request(self, verb: Verb, *, session: str | None, **more: Any) -> dict[str, Any]:
        """A page of the long ranking; anything else as recorded."""
        if verb.dotted != "features.list":
            return await super().request(verb, session=session, **more)
        params = verb.params()
        found = copy.deepcopy({**self.model, "result": {**self.model["result"], "rows": []}})
        known = self.model["result"]["rows"]
        shown = self._matching(params["filter"])
        places = shown[params["offset"] : params["offset"] + params["limit"]]
        space = known[0]["feature"].rpartition("#")[0]
        found["result"]["rows"] = [
            known[place]
            if place < len(known)
            else {**known[place % len(known)], "rank": place + 1, "feature": f"{space}#{place}", "index": place}
            for place in places
        ]
        found["result"] |= {"offset": params["offset"], "total": len(shown)}
        return found

    def _matching(self, wanted: str) -> Sequence[int]:
        """Places of the rows of which the number contains this, or the label where it is no number."""
        if not wanted:
            return range(self.rows)
        known = self.model["result"]["rows"]
        if wanted.isdecimal():
            return [place for place, number in enumerate(self._numbers) if wanted in number]
        labels = {place for place, row in enumerate(known) if wanted in row["label"]}
        return [place for place in range(self.rows) if place % len(known) in labels]
