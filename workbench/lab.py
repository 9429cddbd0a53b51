"""What a handler is given: the session as recorded, the loaded model and features, progress and cancel."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import paths
from workbench.errors import Cancelled, InputFileError, StorageError, UsageError
from workbench.session.layout import STORES
from workbench.session.record import SessionRecord
from workbench.session.state import State

if TYPE_CHECKING:
    import numpy as np

    from workbench.corpus.source import Corpus
    from workbench.index.read import FeatureIndex
    from workbench.models.cache import ModelCache
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace
    from workbench.session.log import LogLine
    from workbench.stimuli.sets import StimulusSet

Progress = Callable[[int, int, str], None]


class Lab:
    """One handler's view of the world; the same in a notebook, in a test, with --no-engine and in the child.

    Args:
        record: the session, or None for verbs that need none.
        sessions: the folder in which sessions are found and made.
        staging: where this command's arrays go; None for queries.
        models: the cache of loaded models; None where no model may be loaded (the broker).
        progress: called with (done, total, text), between batches.
        cancelled: asked between batches; True stops the work.
    """

    def __init__(
        self,
        record: SessionRecord | None,
        *,
        sessions: Path,
        staging: Path | None = None,
        models: ModelCache | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._record = record
        self._models = models
        self._progress = progress
        self._cancelled = cancelled
        self.sessions = sessions
        self.staging = staging
        self.home = paths.home()
        self.sources: Mapping[str, Path] = {}
        """Where the files and folders of a path lie now, by that path: a replay may have them elsewhere."""
        self.uses: set[int] = set()
        """Sequence numbers of the log lines whose results were read so far."""

    @property
    def record(self) -> SessionRecord:
        """The session.

        Raises:
            UsageError: there is none.
        """
        if self._record is None:
            raise UsageError("no session", "Name one with --session NAME, or make one: `workbench session new NAME`.")
        return self._record

    @property
    def has_session(self) -> bool:
        """Whether there is a session at all."""
        return self._record is not None

    @property
    def state(self) -> State:
        """What the session knows."""
        return self.record.state

    def entry(self, name: str) -> Any | None:
        """The value of a state entry, remembered as used; None where there is none."""
        entry = self.state.entries.get(name)
        if entry is None:
            return None
        self.uses.add(entry.seq)
        return entry.value

    def stored(self, line: LogLine) -> dict[str, Any]:
        """The stored result of a log line, remembered as used."""
        self.uses.add(line.seq)
        result: dict[str, Any] = self.record.artifact(line)["result"]
        return result

    def tick(self, done: int, total: int, text: str) -> None:
        """Report progress, and stop here if the investigator asked for it.

        Raises:
            Cancelled: the work was cancelled.
        """
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("cancelled", "Nothing was stored; the session is as it was.")
        if self._progress is not None:
            self._progress(done, total, text)

    @property
    def model(self) -> LoadedModel:
        """The session's language model, loaded on first use.

        Raises:
            UsageError: the session has none, or this process may not load one.
        """
        value = self.entry("model")
        if value is None:
            raise UsageError("no model is loaded in this session", "Load one first: `workbench model load demo`.")
        return self.models.model(value)

    @property
    def space(self) -> FeatureSpace:
        """The session's feature space: the latents of an SAE, or the raw units of a site.

        Raises:
            UsageError: the session has none.
        """
        value = self.entry("sae")
        if value is None and self.entry("model") is None:
            raise UsageError("no model is loaded in this session", "Load one first: `workbench model load demo`.")
        if value is None:
            raise UsageError("no SAE is loaded in this session", self._which_features())
        return self.models.space(value, self.model)

    def _which_features(self) -> str:
        """How to come by features, for the model that is loaded."""
        model = self.entry("model") or {}
        if model.get("ref", "demo") == "demo":
            return "Load one first: `workbench sae load demo`."
        return "Load an SAE made for this model, or take a site's own units: `workbench sae load raw`."

    @property
    def models(self) -> ModelCache:
        """Loads models and SAEs.

        Raises:
            UsageError: this process holds no model.
        """
        if self._models is None:
            raise UsageError("this process holds no model", "Run the command through the engine.")
        return self._models

    def at_hand(self, kind: str, entry: dict[str, Any]) -> dict[str, Any]:
        """The state entry `model` or `sae`, by the place where its files lie now: a replay may have them elsewhere."""
        return entry if self._models is None else self._models.at_hand(kind, entry)

    def source(self, path: str) -> str:
        """Where the files of a path that a command names are read."""
        return str(self.sources.get(path, path))

    def corpus(self, ref: str, seed: int = 0) -> Corpus:
        """The corpus of that name, or of the file at that path: under its own name, wherever a replay has the file.

        Raises:
            UnknownNameError: no corpus and no file of that name.
            InputFileError: the file is of another kind, empty, or cannot be read.
        """
        from workbench.corpus.source import open_corpus

        return open_corpus(ref, seed, home=self.home, at=self.sources.get(ref))

    def take_notices(self) -> list[str]:
        """What the loaded model had to say, for the warnings of the reply."""
        return [] if self._models is None else self._models.take_notices()

    def stimuli(self, name: str) -> StimulusSet:
        """A stimulus set of this session, or a shipped one, that can be analysed.

        Raises:
            UnknownNameError: there is none of that name.
            UsageError: one of its categories has no sentence.
        """
        from workbench.stimuli.sets import find_set

        return find_set(name, self).ready()

    @property
    def homes(self) -> tuple[Path, ...]:
        """Where caches are looked for: this machine's, then what came along with the session."""
        return (self.home, self.record.path / STORES) if self.has_session else (self.home,)

    def index(self) -> FeatureIndex | None:
        """The feature index of the loaded features, or None where none was built on this machine."""
        value = self.entry("index")
        return None if value is None else self.open_index(value)

    def open_index(self, entry: dict[str, Any]) -> FeatureIndex | None:
        """The index of a state entry: this machine's, or the one that came along with the session."""
        from workbench.index.read import open_index

        return next((found for home in self.homes if (found := open_index(home, entry)) is not None), None)

    def save(self, name: str, **arrays: np.ndarray) -> None:
        """Store arrays in this command's artifact as `name.safetensors`.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        import numpy as np
        from safetensors.numpy import save

        from workbench.files import write_atomic

        if self.staging is None:
            raise StorageError("a query stores nothing")
        packed = {key: np.ascontiguousarray(value) for key, value in arrays.items()}
        write_atomic(self.staging / f"{name}.safetensors", save(packed))

    def save_json(self, name: str, value: Any) -> None:
        """Store a JSON value in this command's artifact as `name.json`, for what is too long for a reply.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        from workbench.files import write_atomic

        if self.staging is None:
            raise StorageError("a query stores nothing")
        write_atomic(self.staging / f"{name}.json", json.dumps(value, ensure_ascii=True))

    def stored_json(self, line: LogLine, name: str) -> Any:
        """A JSON value that an earlier command stored.

        Raises:
            InputFileError: it is gone or damaged.
        """
        self.uses.add(line.seq)
        path = self.record.artifact_path(line) / f"{name}.json"
        try:
            return json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputFileError(
                f"{name}.json of log line {line.seq} cannot be read", "Run the command again."
            ) from error

    def arrays(self, line: LogLine, name: str) -> dict[str, np.ndarray]:
        """Arrays that an earlier command stored, remembered as used.

        Raises:
            InputFileError: they are gone or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        self.uses.add(line.seq)
        path = self.record.artifact_path(line) / f"{name}.safetensors"
        try:
            found: dict[str, np.ndarray] = load_file(path)
            return found
        except (OSError, SafetensorError) as error:
            raise _unreadable(line, name) from error

    def array_rows(self, line: LogLine, name: str, start: int, stop: int) -> dict[str, np.ndarray]:
        """Rows of every stored array that is as long as that; the rest of the file is not read.

        Raises:
            InputFileError: they are gone or damaged.
        """
        from safetensors import SafetensorError, safe_open

        self.uses.add(line.seq)
        path = self.record.artifact_path(line) / f"{name}.safetensors"
        try:
            with safe_open(path, "numpy") as file:
                slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118 - not a dict
                return {key: part[start:stop] for key, part in slices.items() if part.get_shape()[0] >= stop}
        except (OSError, SafetensorError) as error:
            raise _unreadable(line, name) from error


def _unreadable(line: LogLine, name: str) -> InputFileError:
    return InputFileError(
        f"{name}.safetensors of log line {line.seq} cannot be read", "Run the command again with --fresh."
    )
