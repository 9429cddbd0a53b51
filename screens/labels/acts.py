"""What the letter keys do to the label of a cluster or a quantum, on its own screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from screens import verbs
from screens.labels.blind import ask_rating
from screens.pages.page import Act

if TYPE_CHECKING:
    from screens.app import WorkbenchApp


def label_acts(app: WorkbenchApp, name: str, of: Any) -> dict[str, Act]:
    """Suggest, accept, reject and score its label; in blind mode S rates it instead.

    Args:
        app: carries them out.
        name: the number of the cluster or the quantum.
        of: `clusters` or `quanta`.
    """

    def score() -> None:
        if app.blind.on:
            ask_rating(app, name, of)
        else:
            app.do(verbs.LabelsScore(features=(name,), of=of))

    return {
        "suggest": lambda: app.do(verbs.LabelsSuggest(features=(name,), of=of)),
        "accept": lambda: app.do(verbs.LabelsAccept(feature=name, of=of)),
        "reject": lambda: app.do(verbs.LabelsReject(feature=name, of=of)),
        "score": score,
    }
