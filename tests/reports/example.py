"""A small session written by hand: planted numbers, and hostile text wherever text comes from outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from workbench.corpus.store import TokenStore, keep_store
from workbench.features.rankings import Ranking
from workbench.figures import Figure
from workbench.index.read import ARRAYS, FORMAT, HISTOGRAM_BINS
from workbench.lab import Lab
from workbench.run import stage_outcome
from workbench.session import catalog
from workbench.session.record import SessionRecord
from workbench.session.session import Pending, Session
from workbench.verbs import Command, Outcome

SPACE = "toy/blocks.1.hook_resid_post/sae"
FEATURES = 30
SCRIPT = '<script>document.title="owned"</script>'
IMAGE = "\"'><img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">"
HOSTILE = (
    SCRIPT, IMAGE, "]]>", "--></style><b>", "a|b", "`tick`", "[x](javascript:alert(1))", "&amp;", "\u202egnp.exe",
    "nul\0", "line\nbreak", "\u200f\u05d0\u05d1", "\ud800", "*bold*", "https://example.invalid/", "# head", "1. one",
    "\x1b[31m", "\u0301combining", "=1+1", "~~x~~", "$x$", "@someone", "",
)  # fmt: skip


class Toy(Command):
    """A command whose outcome the test writes."""

    reuse = False
    stimuli: str = ""
    feature: str = ""
    note: str = ""
    quanta: tuple[int, ...] = ()
    against: str | None = None
    seed: int = 0
    statistic: str = "welch"
    pool: str = "mean"
    permutations: int = 1000
    alpha: float = 0.05
    by: str = ""
    task: str = ""


def toy(dotted: str) -> type[Toy]:
    return type("Toy", (Toy,), {"dotted": dotted, "__doc__": "A toy.", "__module__": __name__})


Make = Callable[[Lab], Outcome]


def add(session: Session, dotted: str, make: Make, **params: Any) -> int:
    """Carry a toy command out; its sequence number."""

    def run(pending: Pending) -> dict[str, Any]:
        lab = Lab(session, sessions=session.path.parent, staging=pending.staging)
        outcome = make(lab)
        return stage_outcome(pending.staging, outcome, sorted(lab.uses))

    return session.do(toy(dotted)(**params), run).line.seq


def sentences(hostile: bool) -> list[dict[str, Any]]:
    texts = [["Ada", " won", " the", " prize", "."], ["Bo", " lost", " the", " race", "."]]
    found = [{"category": name, "tokens": texts[side]} for side, name in enumerate(("win", "loss")) for _ in range(6)]
    if hostile:
        found[0] = {"category": "win", "tokens": [" won", *HOSTILE]}
        found[7] = {"category": "loss", "tokens": list(HOSTILE)}
    return found


def contrast(lab: Lab, name: str, hostile: bool, discoveries: int = 3) -> Outcome:
    generator = np.random.default_rng(0)
    score = generator.normal(size=FEATURES)
    score[:4] = (9.0, -8.0, 7.0, 6.0)
    q = np.where(np.arange(FEATURES) < discoveries, 1e-6, 0.8)
    status = np.array(["ok"] * (FEATURES - 2) + ["constant"] * 2)
    numbers = {"score": score, "effect": score / 4, "d": score / 3, "p": np.full(FEATURES, 0.001)}
    ranking = Ranking(SPACE, {**numbers, "p_fwer": np.full(FEATURES, 0.01), "q": q}, status)
    rows = sentences(hostile)
    counts = [len(row["tokens"]) for row in rows]
    tokens = sum(counts)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    lab.save("ranking", **ranking.arrays())
    lab.save(
        "tokens",
        starts=starts,
        pointers=np.arange(tokens + 1, dtype=np.int64),
        features=np.where(np.arange(tokens) % 2, 0, 1).astype(np.int32),
        values=(1 + np.arange(tokens) % 5).astype(np.float32),
    )
    lab.save_json("sentences", rows)
    lab.entry("sae")
    body = {
        "stimuli": name, "positive": "win", "against": "all others", "categories": {"positive": 6, "rest": 6},
        "statistic": "welch", "pool": "mean", "permutations": 1000, "alpha": 0.05, "seed": 0, "space": SPACE,
        "tested": FEATURES - 2, "undefined": 2, "discoveries": discoveries, "null_discoveries": 0.0,
        "null_discoveries_max": 1, "rows": ranking.rows(ranking.order()[:5]),
    }  # fmt: skip
    shown = list(range(FEATURES - 2))
    volcano = Figure(
        kind="scatter", title=f"{name}: win against the others", x_label="effect", y_label="-log10 q",
        data={
            "x": [float(score[place]) / 4 for place in shown], "y": [-float(np.log10(q[place])) for place in shown],
            "names": [SCRIPT if hostile and place == 0 else f"#{place}" for place in shown],
            "groups": ["discovery" if q[place] < 0.05 else "other" for place in shown],
        },
    )  # fmt: skip
    warnings = [f"careful {SCRIPT}"] if hostile else []
    digest = {"stimuli": {"name": name, "digest": "sha256:5711"}}
    return Outcome(body, figures=[volcano], warnings=warnings, provenance=digest)


def steer(lab: Lab, hostile: bool) -> Outcome:
    lab.entry("sae")
    words = [
        {"word": SCRIPT if hostile else "proud", "token": "proud", "group": "raise", "before": 0.01, "after": 0.04,
         "log_ratio": 1.386},
        {"word": "sad", "token": "sad", "group": "lower", "before": 0.03, "after": 0.01, "log_ratio": -1.099},
    ]  # fmt: skip
    prompt = {
        "prompt": IMAGE if hostile else "She felt", "identical": False, "max_logit_change": 3.0, "kl": 0.25,
        "words": words, "up": [[SCRIPT if hostile else " proud", 0.01, 0.04]], "down": [[" sad", 0.03, 0.01]],
        "text_before": "x\u202ey", "text_after": SCRIPT,
    }  # fmt: skip
    dose = [{"strength": value, "raised": value, "lowered": -value, "kl": value / 4} for value in (0.0, 0.5, 1.0)]
    body = {
        "feature": f"{SPACE}#0", "index": 0, "value": 5.0, "reference": 5.0, "strength": 1.0, "fired": 4,
        "prompts": [prompt], "raised": 1.386, "lowered": -1.099, "dose": dose,
        "control": {"what": "random direction of equal norm", "raised": 0.01, "lowered": 0.02, "kl": 0.002},
        "random_features": {"draws": [{"raised": -0.1, "lowered": -1.2, "kl": 0.01},
                                      {"raised": 0.2, "lowered": 0.3, "kl": 0.05}]},
        "beyond": {"raised": True, "lowered": False, "kl": True},
    }  # fmt: skip
    return Outcome(body)


def clusters(lab: Lab) -> Outcome:
    units = np.eye(4)[[0, 0, 1, 2, 2]]
    lab.save(
        "clusters", members=np.array([3, 4, 5, 8, 9]), sizes=np.array([3, 2]), cosines=np.array([0.5, 1.0]),
        directions=units,
    )  # fmt: skip
    largest = [
        {"cluster": 0, "size": 3, "cosine": 0.5, "features": [3, 4, 5]},
        {"cluster": 1, "size": 2, "cosine": 1.0, "features": [8, 9]},
    ]
    body = {"k": 2, "tau": 0.5, "space": SPACE, "clusters": 2, "singletons": 25, "largest": largest}
    return Outcome(body, sets={"clusters": {"space": SPACE, "count": 2}})


def write_index(home: Path, key: str, pieces: list[str]) -> None:
    """An index of one document that holds each piece once, feature 0 active on all."""
    folder = home / "index" / key
    folder.mkdir(parents=True)
    size = len(pieces)
    first = np.zeros(FEATURES, dtype=np.int64)
    first[0] = size
    histogram = np.zeros((FEATURES, HISTOGRAM_BINS), dtype=np.int64)
    histogram[0, 16:20] = (3, 9, 4, 1)
    document = np.full((FEATURES, 2), -1, dtype=np.int64)
    document[0, 0] = 0
    ids = np.tile(np.arange(3), (FEATURES, 1))
    summary = {
        "fired": first, "total": first * 2.0, "maximum": np.full(FEATURES, 4.0, np.float32), "histogram": histogram,
        "document": document, "position": np.full((FEATURES, 2), 3, dtype=np.int64),
        "up_ids": ids, "up_values": ids * 0.5, "down_ids": ids, "down_values": ids * -0.5,
    }  # fmt: skip
    none = np.full((FEATURES, 5, 5), -1, dtype=np.int64)
    powers = {name: first * 2.0**power for power, name in enumerate(("squares", "cubes", "fourths"), start=2)}
    summary |= {**powers, "edges": np.zeros((FEATURES, 6), np.float32), "sample_at": none, "random_at": none[:, 0]}
    save_file(summary, folder / "summary.safetensors")
    arrays = {
        "pointers": np.arange(size + 1), "features": np.zeros(size), "offsets": np.array([0, *[size] * FEATURES]),
        "at": np.arange(size), "values": 1 + np.arange(size) % 4,
    }  # fmt: skip
    for name, kind in ARRAYS.items():
        (folder / f"{name}.bin").write_bytes(arrays[name].astype(kind).tobytes())
    store = write_store(home, pieces)
    meta = {"space": SPACE, "corpus": "toy corpus", "tokens": size, "documents": 1, "features": FEATURES}
    (folder / "meta.json").write_text(json.dumps({**meta, "format": FORMAT, "kind": "sparse", "store": store.digest}))


def write_store(home: Path, pieces: list[str]) -> TokenStore:
    """A corpus of one document that holds each piece once, the first of them special."""
    building = home / "corpora" / ".building" / "toy"
    building.mkdir(parents=True)
    (building / "tokens.bin").write_bytes(np.arange(len(pieces)).astype("<i4").tobytes())
    (building / "starts.bin").write_bytes(np.array([0, len(pieces)]).astype("<i8").tobytes())
    meta = {"name": "toy corpus", "documents": 1, "tokens": len(pieces), "tokenizer": "sha256:0", "special": [0]}
    return keep_store(
        home, building, [piece.encode("utf-8", "replace") for piece in pieces],
        {**meta, "recipes": ["toy"], "enriched": None},
    )  # fmt: skip


def write_session(sessions: Path, home: Path, *, hostile: bool = False) -> SessionRecord:
    """Lines 1 to 9: model, SAE, index, contrast, labels, an own label, steering, clusters, note."""
    path = catalog.create("toy", sessions, title=f"Prizes {SCRIPT}" if hostile else "Prizes")
    pieces = ["<s>", *HOSTILE] if hostile else ["<s>", "the", "prize", "was", "won", "by", "Ada", "."]
    write_index(home, "cafecafe", pieces)
    model = {"ref": "toy", "name": "toy", "digest": "sha256:0123456789abcdef", "layers": 2, "width": 8}
    sae = {"ref": "toy", "name": SPACE, "digest": "sha256:fedcba", "site": "blocks.1", "width": FEATURES}
    index = {"key": "cafecafe", "corpus": "toy corpus", "tokens": len(pieces), "digest": "sha256:c0"}
    labels = {f"labels/{SPACE}#{place}": {"text": f"tag{place}", "source": "offline", "status": "suggested"}
              for place in range(3)}  # fmt: skip
    own = {"text": SCRIPT if hostile else "going up", "source": "investigator", "status": "accepted"}
    with Session(path, "test") as session:
        add(session, "model.load", lambda lab: Outcome({}, sets={"model": model}))
        add(session, "sae.load", lambda lab: Outcome({}, sets={"sae": sae}))
        add(session, "index.build", lambda lab: Outcome({}, sets={"index": index}))
        add(session, "features.contrast", lambda lab: contrast(lab, "prizes", hostile), stimuli="prizes")
        add(session, "labels.suggest", lambda lab: Outcome({"labels": []}, sets=labels))
        add(session, "labels.set", lambda lab: Outcome({}, sets={f"labels/{SPACE}#0": own}))
        add(session, "steer.clamp", lambda lab: steer(lab, hostile), feature=f"{SPACE}#0")
        add(session, "clusters.find", clusters)
        add(session, "session.note", lambda lab: Outcome({}), note=SCRIPT if hostile else "a note")
        session.save_notes(f"A first look.\n\n# {SCRIPT}\n" if hostile else "A first look.\n")
    return SessionRecord(path)


def lab_of(record: SessionRecord) -> Lab:
    return Lab(record, sessions=record.path.parent)
