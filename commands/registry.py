"""Every verb of the workbench, in one explicit tuple, so that a search finds each of them."""

from __future__ import annotations

from functools import cache

from commands import (
    clusters,
    corpus,
    doctor,
    engine,
    features,
    index,
    labels,
    model,
    report,
    sae,
    session,
    steer,
    stimuli,
)
from workbench.errors import UnknownNameError
from workbench.verbs import Verb

VERBS: tuple[type[Verb], ...] = (
    session.SessionNew,
    session.SessionList,
    session.SessionShow,
    session.SessionNote,
    session.SessionUndo,
    session.SessionFork,
    model.ModelLoad,
    model.ModelInfo,
    model.ModelGenerate,
    sae.SaeLoad,
    sae.SaeCheck,
    sae.SaeTrain,
    sae.SaeSweep,
    stimuli.StimuliImport,
    stimuli.StimuliNew,
    stimuli.StimuliEdit,
    stimuli.StimuliDraft,
    stimuli.StimuliList,
    stimuli.StimuliShow,
    stimuli.StimuliCheck,
    corpus.CorpusImport,
    corpus.CorpusList,
    corpus.CorpusFind,
    index.IndexBuild,
    index.IndexImport,
    index.IndexInfo,
    features.FeaturesContrast,
    features.FeaturesRsa,
    features.FeaturesRdm,
    features.FeaturesMaxact,
    features.FeaturesProbe,
    features.FeaturesCompare,
    features.FeaturesList,
    features.FeaturesShow,
    features.FeaturesWhy,
    features.FeaturesMap,
    features.FeaturesReplicate,
    features.FeaturesNeighbours,
    steer.SteerClamp,
    labels.LabelsSuggest,
    labels.LabelsSet,
    labels.LabelsShow,
    clusters.ClustersFind,
    clusters.ClustersDemo,
    clusters.ClustersList,
    clusters.ClustersShow,
    report.Demo,
    report.Run,
    report.Replay,
    report.Report,
    report.Spec,
    doctor.Doctor,
    engine.EngineStatus,
    engine.EngineStop,
    engine.EngineLog,
    engine.EngineJobs,
    engine.EngineCancel,
    engine.EngineAttach,
)


@cache
def by_name() -> dict[str, type[Verb]]:
    """The verbs by dotted name, in the order of the registry."""
    return {verb.dotted: verb for verb in VERBS}


def lookup(name: str) -> type[Verb]:
    """The verb with that dotted name.

    Raises:
        UnknownNameError: there is none; the hint gives the nearest ones.
    """
    verb = by_name().get(name)
    if verb is None:
        raise UnknownNameError.among("command", name, by_name(), "See `workbench --help`.")
    return verb
