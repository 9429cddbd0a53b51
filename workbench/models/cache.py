"""Keeping the last model and the last feature space in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workbench.models import reference as references

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace


_IDENTITY = ("ref", "digest", "revision", "dtype", "device", "device_map")


class ModelCache:
    """Holds one model and one feature space, those last asked for.

    Values asked for are state entries as `model.load` and `sae.load` make them; a model whose files changed
    since is refused, because its numbers would not be those of the session.
    """

    def __init__(self) -> None:
        self._model: tuple[str, LoadedModel] | None = None
        self._space: tuple[str, FeatureSpace] | None = None
        self._models_at: Mapping[str, references.StandIn] = {}
        self._saes_at: Mapping[str, references.StandIn] = {}

    @contextmanager
    def elsewhere(
        self, models: Mapping[str, references.StandIn], saes: Mapping[str, references.StandIn]
    ) -> Iterator[None]:
        """Inside, the files of these references are read where their stand-ins are; both may grow meanwhile."""
        self._models_at, self._saes_at = models, saes
        try:
            yield
        finally:
            if models or saes:  # outside, a session finds nothing where its own files are not
                self._model = self._space = None
            self._models_at, self._saes_at = {}, {}

    def at_hand(self, kind: str, entry: dict[str, Any]) -> dict[str, Any]:
        """The state entry `model` or `sae` with the reference under which others than this cache find its files."""
        found = (self._models_at if kind == "model" else self._saes_at).get(str(entry.get("ref", "")))
        return entry if found is None else {**entry, "ref": str(found.folder)}

    def model(self, entry: dict[str, Any]) -> LoadedModel:
        """The model of a state entry.

        Raises:
            InputFileError: its files are gone, damaged or not the recorded ones.
            MismatchError: an architecture that cannot be investigated, or a device this machine does not have.
        """
        from workbench.models.loading import load_model

        stand_in = self._models_at.get(str(entry["ref"]))
        key = _key({**entry, "digest": entry.get("digest") or _digest_now(str(entry["ref"]), stand_in)})
        if self._model is None or self._model[0] != key:
            self._space = None
            self._model = None  # free the old weights before the new ones come in
            model = load_model(entry, stand_in)
            # what a hub name stands for is known only now, and is what the session will ask for
            self._model = (_key({**entry, "digest": model.info["digest"], "revision": model.info["revision"]}), model)
        return self._model[1]

    def take_notices(self) -> list[str]:
        """What the model had to say since it was last asked, such as that memory ran out."""
        if self._model is None:
            return []
        notices, self._model[1].portions.notices = self._model[1].portions.notices, []
        return notices

    def space(self, entry: dict[str, Any], model: LoadedModel) -> FeatureSpace:
        """The feature space of a state entry, on its model.

        Raises:
            InputFileError: its files are gone, damaged or not the recorded ones.
            MismatchError: it does not fit the model.
        """
        from workbench.saes.space import digest_now, load_space

        ref, site = str(entry["ref"]), str(entry.get("site", ""))
        stand_in = self._saes_at.get(ref)
        key = repr((ref, entry.get("digest") or digest_now(ref, stand_in), model.name))
        if self._space is None or self._space[0] != key or not _same_site(self._space[1], site):
            self._space = (key, load_space(ref, site, model, entry.get("digest"), stand_in))
        return self._space[1]


def _same_site(space: FeatureSpace, site: str) -> bool:
    """Whether a space in memory is the one meant by this `--site`; without one, only if its files say the site."""
    return site == space.site.name or (site == "" and not space.info["site_given"])


def _key(entry: dict[str, Any]) -> str:
    return repr([str(entry.get(name) or "") for name in _IDENTITY])


def _digest_now(ref: str, stand_in: references.StandIn | None) -> str:
    """The digest of the files as they are: those of a folder may have changed since they were loaded."""
    return references.digest(references.resolve_at(ref, stand_in))
