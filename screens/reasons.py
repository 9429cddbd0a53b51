"""Why a key does nothing on a screen, and where it does."""

from __future__ import annotations

_REASONS = {
    "label": "labels: put the cursor on a feature in Select, a cluster, a quantum, or a row of Labels, or open one",
    "steer": "steers a feature: put the cursor on one in Select, or open it (4)",
    "contrast": "contrasts a stimulus set: open Stimuli (2) and put the cursor on one",
    "probe": "decodes a cluster of predictions from features: open Quanta (6) and put the cursor on one",
    "cancel": "cancels a job: open Jobs (8), or the queue of Labels (7); leaves a sentence out: open Stimuli (2)",
    "detach": "lets a job go on without this terminal: open Jobs (8) and put the cursor on one that runs",
    "find": "finds clusters: open Clusters (5)",
    "demo": "runs the demo's commands: open Home (1)",
    "suggest": "suggests labels: on Select (3) to Labels (7); adds sentences: Stimuli (2)",
    "edit": "writes a note on the session: open one on Home (1); in Stimuli (2) it rewrites a sentence",
    "check": "checks a stimulus set: open Stimuli (2)",
    "sign": "turns the sign of the effect in Select (3), or the marks on a cluster's planes (5 P)",
    "order": "sorts the list in Select (3) or Clusters (5), turns the windows of a feature (4)",
    "matrix": "shows a matrix: of a contrast or an RSA ranking in Select (3), of a cluster in Clusters (5)",
    "planes": "shows the planes of a cluster: open Clusters (5) and put the cursor on one",
    "effect": "turns to the next effect of a two-by-two ranking: open Select (3)",
    "result": "shows the stored result of a log line: open the Log (9), or Select (3) on a ranking by a probe",
    "accept": "accepts a label: put the cursor on one in Labels (7), or on a cluster or quantum",
    "reject": "rejects a label: put the cursor on one in Labels (7), or on a cluster or quantum",
    "score": "scores labels: open Labels (7), or put the cursor on a cluster or quantum",
    "blind": "hides labels until they are rated: open Labels (7)",
    "tag": "tags a feature: open it (4)",
    "why": "says where a number comes from: Select (3), Feature (4), Clusters (5), Quanta (6), Labels (7), Log (9, R)",
    "try": "takes a sentence of yours: open a session on Home (1) first",
    "next_feature": "goes to the next feature of the ranking: open Feature (4)",
    "previous_feature": "goes to the previous feature of the ranking: open Feature (4)",
}


_UNBOUND = {
    "v": "shows heat levels as digits on the sentences of a feature: open Feature (4)",
    "h": "turns to the next model while samples are chosen on Quanta (6)",
    "H": "goes to the token before on the sentences of a feature: open Feature (4)",
    "L": "goes to the next token on the sentences of a feature: open Feature (4)",
    "=": "puts another one beside: open Feature (4) or Labels (7)",
}
"""Keys of one screen."""


def unbound(key: str) -> str:
    """The sentence for a key that nothing here hears."""
    return f"{key} {_UNBOUND.get(key, 'does nothing here: ? names the keys')}"


def why_not(action: str, key: str) -> str:
    """The sentence for the status line."""
    return f"{key} {_REASONS.get(action, 'does nothing here')}"
