"""Every verb of the workbench by name, so that a search finds each of them.

The verbs stand here as names: a group's module is imported when one of its verbs is asked for, since pydantic
takes a millisecond for each verb and a shell call needs one of them.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from workbench.errors import UnknownNameError

if TYPE_CHECKING:
    from workbench.verbs import Verb

ABOUT: dict[str, str] = {
    "session": "investigations: their log, notes and copies",
    "model": "load a language model, look at it, let it write",
    "sae": "load, check and train sparse autoencoders",
    "stimuli": "sets of sentences that differ in a concept",
    "corpus": "token stores of text files and data sets",
    "index": "what every feature does on a corpus",
    "features": "rank, test, show and compare features",
    "steer": "turn a feature up or down in the model",
    "labels": "what features, clusters and quanta are called",
    "clusters": "features that belong together",
    "circle": "features on a circle: tasks, probes, patches and explanations",
    "geometry": "how directions lie to each other: energies and matches",
    "quanta": "predictions that are made with the same parameters",
    "engine": "the background process and its jobs",
    "demo": "the main job on the embedded model, from stimuli to report",
    "open": "look at a session that a colleague exported, with no model",
    "run": "carry out a script of commands",
    "replay": "do a session's commands again and compare the numbers",
    "report": "write a session as one HTML file or as Markdown",
    "spec": "the parameters of every verb as JSON Schema",
    "doctor": "look at the installation, and calibrate the tests",
}
"""What each group, and each verb that belongs to none, is about."""

VERBS: dict[str, str] = {
    "session.new": "session.SessionNew",
    "session.list": "session.SessionList",
    "session.show": "session.SessionShow",
    "session.result": "session.SessionResult",
    "session.note": "session.SessionNote",
    "session.undo": "session.SessionUndo",
    "session.fork": "session.SessionFork",
    "session.export": "session.SessionExport",
    "session.import": "session.SessionImport",
    "session.compare": "session.SessionCompare",
    "model.load": "model.ModelLoad",
    "model.info": "model.ModelInfo",
    "model.generate": "model.ModelGenerate",
    "sae.load": "sae.SaeLoad",
    "sae.check": "sae.SaeCheck",
    "sae.train": "sae.SaeTrain",
    "sae.sweep": "sae.SaeSweep",
    "stimuli.import": "stimuli.StimuliImport",
    "stimuli.new": "stimuli.StimuliNew",
    "stimuli.edit": "stimuli.StimuliEdit",
    "stimuli.draft": "stimuli.StimuliDraft",
    "stimuli.list": "stimuli.StimuliList",
    "stimuli.show": "stimuli.StimuliShow",
    "stimuli.check": "stimuli.StimuliCheck",
    "corpus.import": "corpus.CorpusImport",
    "corpus.list": "corpus.CorpusList",
    "corpus.find": "corpus.CorpusFind",
    "index.build": "index.IndexBuild",
    "index.import": "index.IndexImport",
    "index.info": "index.IndexInfo",
    "features.contrast": "features.FeaturesContrast",
    "features.rsa": "features.FeaturesRsa",
    "features.rdm": "features.FeaturesRdm",
    "features.maxact": "features.FeaturesMaxact",
    "features.probe": "features.FeaturesProbe",
    "features.compare": "features.FeaturesCompare",
    "features.list": "features.FeaturesList",
    "features.show": "features.FeaturesShow",
    "features.why": "features.FeaturesWhy",
    "features.map": "features.FeaturesMap",
    "features.replicate": "features.FeaturesReplicate",
    "features.neighbours": "features.FeaturesNeighbours",
    "features.activate": "features.FeaturesActivate",
    "features.diff": "features.FeaturesDiff",
    "features.common": "features.FeaturesCommon",
    "features.search": "features.FeaturesSearch",
    "features.tag": "features.FeaturesTag",
    "features.note": "features.FeaturesNote",
    "features.tags": "features.FeaturesTags",
    "features.export": "features.FeaturesExport",
    "steer.clamp": "steer.SteerClamp",
    "labels.suggest": "labels.LabelsSuggest",
    "labels.score": "labels.LabelsScore",
    "labels.set": "labels.LabelsSet",
    "labels.accept": "labels.LabelsAccept",
    "labels.reject": "labels.LabelsReject",
    "labels.rate": "labels.LabelsRate",
    "labels.show": "labels.LabelsShow",
    "labels.compare": "labels.LabelsCompare",
    "labels.cost": "labels.LabelsCost",
    "labels.import": "labels.LabelsImport",
    "clusters.find": "clusters.ClustersFind",
    "clusters.import": "clusters.ClustersImport",
    "clusters.rank": "clusters.ClustersRank",
    "clusters.demo": "clusters.ClustersDemo",
    "clusters.list": "clusters.ClustersList",
    "clusters.show": "clusters.ClustersShow",
    "clusters.planes": "clusters.ClustersPlanes",
    "clusters.point": "clusters.ClustersPoint",
    "clusters.export": "clusters.ClustersExport",
    "circle.tasks": "circle.CircleTasks",
    "circle.probe": "circle.CircleProbe",
    "circle.patch": "circle.CirclePatch",
    "circle.sweep": "circle.CircleSweep",
    "circle.heads": "circle.CircleHeads",
    "circle.explain": "circle.CircleExplain",
    "geometry.energy": "geometry.GeometryEnergy",
    "geometry.optimum": "geometry.GeometryOptimum",
    "geometry.match": "geometry.GeometryMatch",
    "quanta.losses": "quanta.QuantaLosses",
    "quanta.counts": "quanta.QuantaCounts",
    "quanta.select": "quanta.QuantaSelect",
    "quanta.similarity": "quanta.QuantaSimilarity",
    "quanta.cluster": "quanta.QuantaCluster",
    "quanta.split": "quanta.QuantaSplit",
    "quanta.merge": "quanta.QuantaMerge",
    "quanta.label": "quanta.QuantaLabel",
    "quanta.stimuli": "quanta.QuantaStimuli",
    "quanta.list": "quanta.QuantaList",
    "quanta.show": "quanta.QuantaShow",
    "quanta.export": "quanta.QuantaExport",
    "engine.status": "engine.EngineStatus",
    "engine.stop": "engine.EngineStop",
    "engine.log": "engine.EngineLog",
    "engine.jobs": "engine.EngineJobs",
    "engine.cancel": "engine.EngineCancel",
    "engine.detach": "engine.EngineDetach",
    "engine.attach": "engine.EngineAttach",
    "demo": "report.Demo",
    "open": "report.Open",
    "run": "report.Run",
    "replay": "report.Replay",
    "report": "report.Report",
    "spec": "report.Spec",
    "doctor": "doctor.Doctor",
}
"""Module and class of each verb by dotted name, in the order in which help shows them."""


def groups() -> list[str]:
    """The groups of verbs."""
    return [name for name in ABOUT if name not in VERBS]


def in_group(group: str) -> list[str]:
    """The verbs of a group by their own names, in the order of the registry."""
    return [name.partition(".")[2] for name in VERBS if name.startswith(f"{group}.")]


@cache
def find(name: str) -> type[Verb] | None:
    """The verb with that dotted name, or None; imports its group."""
    place = VERBS.get(name)
    if place is None:
        return None
    module, _, class_name = place.partition(".")
    verb: type[Verb] = getattr(import_module(f"commands.{module}"), class_name)
    return verb


def lookup(name: str) -> type[Verb]:
    """The verb with that dotted name.

    Raises:
        UnknownNameError: there is none; the hint gives the nearest ones.
    """
    verb = find(name)
    if verb is None:
        raise UnknownNameError.among("command", name, VERBS, "See `workbench --help`.")
    return verb


def all_verbs() -> list[type[Verb]]:
    """Every verb, in the order of the registry; imports all groups."""
    return [lookup(name) for name in VERBS]
