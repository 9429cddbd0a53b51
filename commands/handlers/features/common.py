"""Carries out `features.common`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesCommon
from commands.handlers.features.own_text import Beside, gate_of, repaired, space_of
from commands.handlers.features.readings import spelled_warning
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.features.evidence import cut
from workbench.lab import Lab
from workbench.sentences.shared import Shared, shared
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.corpus.readers import Undecodable

MOST = 5000
"""Sentences of one side."""
FEW = 5
"""Fewer sentences than these share features by chance."""
SHOWN, LETTERS, WITHOUT = 50, 200, 10


def common(query: FeaturesCommon, lab: Lab) -> Outcome:
    """The features that the sentences share and the controls do not."""
    from workbench.sentences.reading import read_sentences, tokens_of

    warnings: list[str] = []
    texts, source, controls, control_source = _sentences(query, lab)
    texts, controls = repaired(texts, warnings), repaired(controls, warnings)
    space = space_of(query.sae, query.site, lab)
    tokens = [tokens_of(lab.model, text, lab.model.context) for text in [*texts, *controls]]
    warnings += spelled_warning(tokens)
    table = read_sentences(lab.model, space, tokens, lab.tick)
    found = shared(table, len(texts), threshold=query.threshold, share=query.share, control_share=query.control_share)
    beside = Beside(lab, space)
    body = {
        "space": space.name,
        "sentences": len(texts),
        "controls": len(controls),
        "source": source,
        "control_source": control_source,
        "threshold": query.threshold,
        "share": query.share,
        "control_share": query.control_share,
        "needed": found.needed,
        "allowed": found.allowed,
        "active": int((found.counts > 0).sum()),
        "total": len(found.found),
        "rows": _rows(query, found, beside, table.lengths[: len(texts)], len(controls)),
        "texts": [cut(text, LETTERS) for text in texts[:SHOWN]],
    }
    warnings += _warnings(texts, controls, beside)
    return Outcome(body, warnings=warnings, provenance=gate_of(query.sae, space, lab))


def _rows(
    query: FeaturesCommon, found: Shared, beside: Beside, lengths: np.ndarray, controls: int
) -> list[dict[str, Any]]:
    from workbench.sentences.surprise import expected_share

    shown = found.found[: query.limit]
    expected = None
    if beside.index is not None and beside.index.meta["kind"] == "sparse":
        expected = expected_share(beside.index, shown, query.threshold, lengths)
    rows = []
    for at, number in enumerate(shown.tolist()):
        count, control = int(found.counts[number]), int(found.control_counts[number])
        rows.append(
            {
                **beside.about(number),
                "count": count,
                "share": round(count / len(lengths), 6),
                "control_count": control,
                "control_share": round(control / controls, 6) if controls else None,
                "mean": round(float(found.means[number]), 4),
                "control_mean": round(float(found.control_means[number]), 4) if controls else None,
                "expected": None if expected is None else round(float(expected[at]), 6),
                "without": np.flatnonzero(~found.above[:, at])[:WITHOUT].tolist(),
            }
        )
    return rows


def _warnings(texts: Sequence[str], controls: Sequence[str], beside: Beside) -> list[str]:
    warnings = []
    if len(texts) < FEW:
        count = "one sentence has" if len(texts) == 1 else f"{len(texts)} sentences have"
        warnings.append(f"{count} much in common by chance: give {FEW} or more, and test what is found on others")
    if not controls:
        warnings.append("no control sentences: features of all text (first words, full stops) are among those found")
    elif len(controls) < FEW:
        warnings.append(f"{len(controls)} control sentences rule out little: give {FEW} or more")
    if repeats := len(texts) - len(set(texts)):
        warnings.append(f"{repeats} of {len(texts)} sentences are there twice or more, and count each time")
    if both := len(set(texts) & set(controls)):
        warnings.append(f"{both} sentences are on both sides")
    if beside.index is None:
        warnings.append("no corpus index of these features: no density, nothing to expect by chance")
    return warnings


def _sentences(query: FeaturesCommon, lab: Lab) -> tuple[list[str], str, list[str], str]:
    """The sentences and the controls, each with where they come from."""
    texts, controls = list(query.text), list(query.control)
    sources, control_sources = [f"{len(texts)} given"] if texts else [], [f"{len(controls)} given"] if controls else []
    if query.stimuli:
        positive, other, named, against = _of_set(query, lab)
        texts, controls = positive + texts, other + controls
        sources, control_sources = [named, *sources], [*([against] if other else []), *control_sources]
    for path, kept, told in ((query.file, texts, sources), (query.control_file, controls, control_sources)):
        if path:
            kept += _of_file(path, query.undecodable)
            told.append(Path(path).name)
    if not query.stimuli and query.against:
        raise UsageError(f"--against {query.against} is a class of a stimulus set", "Name the set.")
    if not texts:
        raise UsageError("no sentences", "Name a stimulus set, or give --text or --file.")
    for side in (texts, controls):
        if len(side) > MOST:
            raise UsageError(f"{len(side):,} sentences", f"At most {MOST:,} of one side.")
    return texts, ", ".join(sources), controls, ", ".join(control_sources)


def _of_set(query: FeaturesCommon, lab: Lab) -> tuple[list[str], list[str], str, str]:
    name, _, category = query.stimuli.partition(":")
    found = lab.stimuli(name)
    category = category or found.positive
    hint = f"Write {name}:CLASS."
    if not category:
        raise UsageError(f"stimulus set {name!r} has no positive class", hint)
    for asked in (category, *([query.against] if query.against not in ("", "none") else [])):
        if asked not in found.names:
            raise UnknownNameError.among(f"class of {name}", asked, found.names, hint)
    if query.against == category:
        raise UsageError(f"class {category!r} cannot be its own control", "Name another with --against, or `none`.")
    others = [other for other in found.names if other != category and query.against in ("", other)]
    own = [text for row, text in found.rows if row == category]
    rest = [text for row, text in found.rows if row in others]
    return own, rest, f"{name}:{category}", f"{name}:{'+'.join(others)}"


def _of_file(path: str, undecodable: Undecodable) -> list[str]:
    """The sentences of a file, empty ones left out.

    Raises:
        InputFileError: there is none, or it cannot be read.
    """
    from workbench.corpus.readers import Reading

    if not Path(path).expanduser().is_file():
        raise InputFileError(f"there is no file {path}", "Check the path; it is relative to where you are.")
    reading = Reading(path, undecodable=undecodable)
    found = list(islice((text for text in reading.documents() if text.strip()), MOST + 1))
    if not found:
        raise InputFileError(f"{path} has no sentence", "Give a file with one sentence a line.")
    return found
