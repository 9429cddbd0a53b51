"""A recorded engine whose ranking is as long as one likes."""

from __future__ import annotations

import copy
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

    async def request(self, verb: Verb, *, session: str | None, **more: Any) -> dict[str, Any]:
        """A page of the long ranking; anything else as recorded."""
        if verb.dotted != "features.list":
            return await super().request(verb, session=session, **more)
        params = verb.params()
        found = copy.deepcopy({**self.model, "result": {**self.model["result"], "rows": []}})
        known = self.model["result"]["rows"]
        places = range(params["offset"], min(params["offset"] + params["limit"], self.rows))
        space = known[0]["feature"].rpartition("#")[0]
        found["result"]["rows"] = [
            known[place]
            if place < len(known)
            else {**known[place % len(known)], "rank": place + 1, "feature": f"{space}#{place}", "index": place}
            for place in places
        ]
        found["result"] |= {"offset": params["offset"], "total": self.rows}
        return found
