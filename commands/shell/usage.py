"""One shell line for each verb that a reader can try, for the command reference.

A verb that needs nothing and is not listed is shown by its name alone.
"""

from __future__ import annotations

from commands.registry import lookup

EXAMPLES: dict[str, str] = {
    "session.new": "my-question --title 'What carries pride?'",
    "session.result": "5",
    "session.note": "'The strongest feature fires on full stops'",
    "session.undo": "5",
    "session.fork": "second-thoughts --upto 4",
    "session.export": "achievement achievement.zip",
    "session.import": "achievement.zip from-a-colleague",
    "session.compare": "first-look second-thoughts",
    "model.load": "EleutherAI/pythia-70m --revision step1000",
    "model.generate": "'After the race Tessa felt' --tokens 12",
    "sae.load": "demo",
    "sae.train": "--k-start 128 --k 16 --dry-run",
    "sae.sweep": "--k 8 --k 16 --k 32 --dry-run",
    "stimuli.import": "my-concept.json --to pride",
    "stimuli.new": "pride --category proud --category tired --first 'She was proud.' --second 'She was tired.'",
    "stimuli.edit": "pride --add 'He beamed with pride.' --category proud",
    "stimuli.draft": "results --concept outcome --pairs 20",
    "stimuli.show": "achievement",
    "stimuli.check": "achievement",
    "corpus.import": "notes/ --name notes",
    "corpus.find": "'won the race'",
    "index.build": "demo --tokens 200000",
    "index.import": "occurrences.npz --name gpt2-layer-7",
    "features.contrast": "achievement --window last --statistic mann_whitney",
    "features.rsa": "weekdays --model cyclic",
    "features.rdm": "144",
    "features.maxact": "achievement --top 20",
    "features.probe": "achievement",
    "features.compare": "achievement",
    "features.list": "--direction positive --limit 20",
    "features.show": "459",
    "features.why": "459",
    "features.replicate": "null --top 20",
    "features.neighbours": "459",
    "features.activate": "'The proud team won the race'",
    "features.diff": "'The team won' 'The team lost'",
    "features.common": "achievement",
    "features.search": "won",
    "features.tag": "459,38 pride",
    "features.note": "459 'Fires from the winning word onwards'",
    "features.tags": "pride",
    "features.export": "features.csv",
    "steer.clamp": "459 --stimuli achievement --tokens 12",
    "labels.suggest": "--top 20",
    "labels.score": "459",
    "labels.set": "459 'pride after a success'",
    "labels.accept": "459",
    "labels.reject": "459",
    "labels.rate": "459 3 --concept pride",
    "labels.import": "explanations.jsonl.gz",
    "clusters.find": "--method coactivation",
    "clusters.import": "clusters.pkl",
    "clusters.rank": "--tested 5",
    "clusters.show": "0",
    "clusters.planes": "0",
    "clusters.point": "0 4711",
    "clusters.export": "0 --out cluster-0.svg",
    "circle.tasks": "weekdays",
    "circle.probe": "weekdays",
    "circle.patch": "weekdays",
    "circle.sweep": "weekdays",
    "circle.heads": "weekdays",
    "circle.explain": "weekdays",
    "geometry.energy": "weekdays",
    "geometry.optimum": "7",
    "geometry.match": "latest simplex",
    "quanta.losses": "demo",
    "quanta.split": "3",
    "quanta.merge": "3 5",
    "quanta.label": "3 'closing quotation marks'",
    "quanta.stimuli": "quotes --cluster 3",
    "quanta.show": "3",
    "quanta.export": "quanta.html",
    "engine.cancel": "1",
    "engine.detach": "1",
    "engine.attach": "1",
    "open": "achievement.zip",
    "run": "steps.txt SET=achievement",
    "replay": "achievement --check",
    "report": "achievement --out report.html",
}
"""What follows the verb's name, as it is typed in a shell."""


def example(name: str) -> str:
    """A shell line for the verb of that dotted name.

    Raises:
        LookupError: the verb needs a value and no line is written down for it.
    """
    words = EXAMPLES.get(name)
    missing = [field for field, about in lookup(name).model_fields.items() if about.is_required()]
    if words is None and missing:
        raise LookupError(f"{name} needs {missing[0]}: write an example of it in commands/shell/usage.py")
    return f"workbench {name.replace('.', ' ')} {words or ''}".rstrip()
