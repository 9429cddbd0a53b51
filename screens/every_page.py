"""Every screen but Home by its name: those on the digits, and those that lie over them."""

from __future__ import annotations

from screens.clusters.cosines import CosinesPage
from screens.clusters.page import ClustersPage
from screens.clusters.planes import PlanesPage
from screens.feature.own_text import OwnTextPage
from screens.feature.page import FeaturePage
from screens.feature.pair import PairPage
from screens.labels.beside import BesidePage
from screens.labels.page import LabelsPage
from screens.overlays.command_list import CommandListPage
from screens.overlays.help import HelpPage
from screens.overlays.reply_view import ReplyPage
from screens.overlays.tour import TourPage
from screens.overlays.why import WhyPage
from screens.pages.page import Page
from screens.quanta.page import QuantaPage
from screens.results.page import ResultPage
from screens.select.map_view import MapPage
from screens.select.page import SelectPage
from screens.select.rdm import RdmPage
from screens.sessions.jobs import JobsPage
from screens.sessions.log import LogPage
from screens.stimuli.page import StimuliPage

BEHIND_HOME: dict[str, type[Page]] = {
    "stimuli": StimuliPage,
    "select": SelectPage,
    "feature": FeaturePage,
    "clusters": ClustersPage,
    "quanta": QuantaPage,
    "labels": LabelsPage,
    "jobs": JobsPage,
    "log": LogPage,
    "commands": CommandListPage,
    "help": HelpPage,
    "reply": ReplyPage,
    "result": ResultPage,
    "why": WhyPage,
    "rdm": RdmPage,
    "map": MapPage,
    "pair": PairPage,
    "try": OwnTextPage,
    "planes": PlanesPage,
    "cosines": CosinesPage,
    "beside": BesidePage,
    "tour": TourPage,
}
"""The screens that are made once Home is in sight, by their names."""
EXPLAINING = frozenset(("why", "help"))
"""Pages that explain what they lie over, and give it back as it was."""
