"""The verbs the screens issue, imported when the first of them is needed.

pydantic and the verbs take as long to import as the first frame takes to draw, and the first frame needs none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commands.clusters import ClustersExport as ClustersExport
    from commands.clusters import ClustersFind as ClustersFind
    from commands.clusters import ClustersList as ClustersList
    from commands.clusters import ClustersPlanes as ClustersPlanes
    from commands.clusters import ClustersPoint as ClustersPoint
    from commands.clusters import ClustersShow as ClustersShow
    from commands.engine import EngineCancel as EngineCancel
    from commands.engine import EngineDetach as EngineDetach
    from commands.engine import EngineJobs as EngineJobs
    from commands.features import FeaturesActivate as FeaturesActivate
    from commands.features import FeaturesContrast as FeaturesContrast
    from commands.features import FeaturesDiff as FeaturesDiff
    from commands.features import FeaturesList as FeaturesList
    from commands.features import FeaturesMap as FeaturesMap
    from commands.features import FeaturesNeighbours as FeaturesNeighbours
    from commands.features import FeaturesNote as FeaturesNote
    from commands.features import FeaturesRdm as FeaturesRdm
    from commands.features import FeaturesSearch as FeaturesSearch
    from commands.features import FeaturesShow as FeaturesShow
    from commands.features import FeaturesTag as FeaturesTag
    from commands.features import FeaturesTags as FeaturesTags
    from commands.features import FeaturesWhy as FeaturesWhy
    from commands.labels import LabelsAccept as LabelsAccept
    from commands.labels import LabelsCompare as LabelsCompare
    from commands.labels import LabelsRate as LabelsRate
    from commands.labels import LabelsReject as LabelsReject
    from commands.labels import LabelsScore as LabelsScore
    from commands.labels import LabelsSet as LabelsSet
    from commands.labels import LabelsShow as LabelsShow
    from commands.labels import LabelsSuggest as LabelsSuggest
    from commands.line import format_line as format_line
    from commands.line import parse_line as parse_line
    from commands.line import quoted as quoted
    from commands.quanta import QuantaCounts as QuantaCounts
    from commands.quanta import QuantaLabel as QuantaLabel
    from commands.quanta import QuantaList as QuantaList
    from commands.quanta import QuantaSelect as QuantaSelect
    from commands.quanta import QuantaShow as QuantaShow
    from commands.registry import VERBS as VERBS
    from commands.registry import all_verbs as all_verbs
    from commands.registry import find as find
    from commands.registry import lookup as lookup
    from commands.session import SessionList as SessionList
    from commands.session import SessionNew as SessionNew
    from commands.session import SessionNote as SessionNote
    from commands.session import SessionResult as SessionResult
    from commands.session import SessionShow as SessionShow
    from commands.steer import SteerClamp as SteerClamp
    from commands.stimuli import StimuliCheck as StimuliCheck
    from commands.stimuli import StimuliEdit as StimuliEdit
    from commands.stimuli import StimuliList as StimuliList
    from commands.stimuli import StimuliShow as StimuliShow
    from workbench.verbs import Command as Command
    from workbench.verbs import Output as Output
    from workbench.verbs import Verb as Verb

_HOMES = {
    "commands.clusters": (
        "ClustersExport",
        "ClustersFind",
        "ClustersList",
        "ClustersPlanes",
        "ClustersPoint",
        "ClustersShow",
    ),
    "commands.engine": ("EngineCancel", "EngineDetach", "EngineJobs"),
    "commands.features": (
        "FeaturesActivate",
        "FeaturesContrast",
        "FeaturesDiff",
        "FeaturesList",
        "FeaturesMap",
        "FeaturesNeighbours",
        "FeaturesNote",
        "FeaturesRdm",
        "FeaturesSearch",
        "FeaturesShow",
        "FeaturesTag",
        "FeaturesTags",
        "FeaturesWhy",
    ),
    "commands.labels": (
        "LabelsAccept",
        "LabelsCompare",
        "LabelsRate",
        "LabelsReject",
        "LabelsScore",
        "LabelsSet",
        "LabelsShow",
        "LabelsSuggest",
    ),
    "commands.line": ("format_line", "parse_line", "quoted"),
    "commands.quanta": ("QuantaCounts", "QuantaLabel", "QuantaList", "QuantaSelect", "QuantaShow"),
    "commands.registry": ("VERBS", "all_verbs", "find", "lookup"),
    "commands.session": ("SessionList", "SessionNew", "SessionNote", "SessionResult", "SessionShow"),
    "commands.steer": ("SteerClamp",),
    "commands.stimuli": ("StimuliCheck", "StimuliEdit", "StimuliList", "StimuliShow"),
    "workbench.verbs": ("Command", "Output", "Verb"),
}


def __getattr__(name: str) -> Any:
    """Import the module that has the name (PEP 562)."""
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
