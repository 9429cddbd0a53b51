"""The steering pane of Feature: what clamping a feature did to the model's predictions."""

from __future__ import annotations

from typing import Any

from screens import verbs
from screens.painting import palette
from screens.painting.glyphs import signed_bar
from screens.painting.text import number, percent, token_name, visible
from screens.widgets.lines import Column, Lines, Row, cell_text

COLUMNS = (
    Column("word", 18),
    Column("expected", 8),
    Column("before", 8, "right"),
    Column("after", 8, "right"),
    Column("log ratio", 9, "right"),
    Column("- change +", 11),
    Column("met"),
)
RANDOM = "random direction"


class SteeringView(Lines):
    """Words before and after, dose and control, prompt by prompt."""

    HELP = "s writes the :steer.clamp line: change prompt or strength and press enter. y copies the row."

    def __init__(self, *, id: str) -> None:
        super().__init__(COLUMNS, id=id)
        self.feature = ""
        self._results: dict[str, dict[str, Any]] = {}
        """The last reply for each feature that was steered here: J and K come back to it."""
        self._last: dict[str, Any] = {}
        """The parameters of the last of them."""
        self.stored: dict[str, Any] | None = None
        """The latest log line that steered this feature, whose result `R` shows."""

    @property
    def reply(self) -> dict[str, Any] | None:
        """What is shown."""
        return self._results.get(self.feature)

    @property
    def line(self) -> str:
        """The `:` line that makes what is shown."""
        return _line(self.reply["params"]) if self.reply else ""

    def line_for(self, feature: str) -> str:
        """The line that steers this feature as the last one was, or an empty text where none was."""
        same = self._last and "," not in str(self._last["feature"]) and ":" not in str(self._last["feature"])
        return _line({**self._last, "feature": feature}) if same else ""

    def forget(self) -> None:
        """Another session is opened."""
        self._results, self._last, self.stored = {}, {}, None
        self.clear("")

    def show_feature(self, feature: str, summary: dict[str, Any]) -> None:
        """Say what was steered before, unless results of this very feature are shown."""
        if feature == self.feature:
            return
        self.feature = feature
        if self.reply:
            self._show(self.reply)
            return
        number_ = feature.rpartition("#")[2]
        steers = summary.get("steers") or []
        earlier = [item for item in steers if str(item["feature"]).rpartition("#")[2] == number_]
        self.stored = earlier[-1] if earlier else None
        if earlier:
            lines = "\n".join(dict.fromkeys(f":{item['line']}" for item in earlier))
            told = f"Steered before: R shows the stored result of the last line below.\n{lines}\ns steers it again."
        else:
            told = "This feature was not steered yet here.\nPress s, then enter."
        again = "\ns writes the line with the values of the last one; J and K come back to its result."
        self.empty = told + (again if self._last else "")
        self.show([])
        self.refresh()

    def clear(self, text: str) -> None:
        """Show no result, but this text."""
        self.feature, self.empty = "", text
        self.show([])
        self.refresh()

    def show_result(self, result: dict[str, Any], reply: dict[str, Any]) -> None:
        """Show the reply to `steer.clamp`, and keep it for when this feature comes to the front again."""
        self.feature = str(result["feature"])
        self._results[self.feature], self._last = reply, reply["params"]
        self._show(reply)

    def _show(self, reply: dict[str, Any]) -> None:
        result = reply["result"]
        watched = any(prompt["words"] for prompt in result["prompts"])
        means = _summary_rows(result)
        prompts = [row for place, prompt in enumerate(result["prompts"]) for row in _prompt_rows(place, prompt)]
        # without watched words the means have no words to tell of: the tokens that moved stand first
        rows = means + prompts if watched else prompts + means
        again = f"stored result of line {reply['reused']}" if reply.get("reused") else ""
        clamp = f"clamped to {number(result['value'])} × {number(result['strength'], 2)}"
        self.show(rows, note=" · ".join(part for part in (clamp, again) if part))
        self.cursor = self.top = 0
        self.refresh()

    def copyable(self) -> str:
        """The table, cells apart by tabs."""
        texts = ["\t".join(cell_text(cell).strip() for cell in self._rows[place].cells) for place in sorted(self._rows)]
        return "\n".join(texts)


def _line(params: dict[str, Any]) -> str:
    return verbs.format_line(verbs.SteerClamp.model_validate(params))


def steering_facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    """What `w` says of the numbers of the steering pane."""
    draws = (result.get("random_features") or {}).get("draws") or []
    random = f"{len(draws)} random features pushed as far" if draws else "no random features were asked for"
    clamp = f"mode {result['mode']}, value {number(result['value'])}, strength {number(result['strength'], 2)}"
    definition = (
        "before, after: probability of the word's first token as the next one, without and with the change; log ratio: "
        "ln(after / before), nats; up and down: its mean over the words expected to rise and to fall; KL: divergence "
        "of the two predictions after the last token, nats"
    )
    return [
        ("feature", f"{result['feature']}: {clamp}"),
        ("definition", definition),
        ("n", f"{len(result['prompts'])} prompts, the hook ran {result['fired']} times"),
        ("control", f"a random direction of equal norm; {random}"),
        ("null", "no test: a push of that size always changes something; compare with the control"),
    ]


def _prompt_rows(place: int, prompt: dict[str, Any]) -> list[Row]:
    same = "bit-identical" if prompt["identical"] else f"KL {number(prompt['kl'])} nats"
    rows = [_title(f"p{place}", f"{verbs.quoted(visible(prompt['prompt']))}  {same}")]
    words = prompt["words"]
    largest = max((abs(word["log_ratio"]) for word in words), default=1.0)
    for at, word in enumerate(words):
        expected = "up" if word["group"] == "raise" else "down"
        good = (word["log_ratio"] > 0) == (expected == "up")
        cells = (word["word"], expected, percent(word["before"]), percent(word["after"]))
        ratio = (number(word["log_ratio"], sign=True), palette.GOOD if good else palette.BAD)
        met = "faint" if word.get("faint") else "yes" if good else "no"
        met += f", first token {visible(word['token'])}" if word.get("pieces", 1) > 1 else ""
        rows.append(Row(f"p{place}w{at}", (*cells, ratio, signed_bar(word["log_ratio"], largest, 11), met)))
    for name, moved in (("up most", prompt["up"]), ("down most", prompt["down"])):
        listed = ", ".join(
            f"{token_name(token)} {percent(before)} to {percent(after)}" for token, before, after in moved[:5]
        )
        if listed:
            rows.append(_title(f"p{place}{name}", f"  {name}: {listed}", palette.DIM))
    rows += [
        _title(f"p{place}{name}", f"  {name.replace('_', ' ')}: {visible(prompt[name])}", palette.DIM)
        for name in ("text_before", "text_after")
        if prompt.get(name)
    ]
    return rows


def _summary_rows(result: dict[str, Any]) -> list[Row]:
    """All prompts together: this strength, a control, and the other strengths."""
    title = "means over prompts: log ratio of the words expected up and down (nats), and KL"
    control = result["control"]
    what = str(control.get("what") or control.get("feature") or "")
    if what.startswith(RANDOM):
        what = RANDOM  # of what norm, w says: there is no room
    doses = [
        _summary_row(f"dose{item['strength']}", f"strength {number(item['strength'], 2)}", item)
        for item in result["dose"]
    ]
    return [_title("summary", title), _summary_row("control", "control", control, what), *_random(result), *doses]


def _random(result: dict[str, Any]) -> list[Row]:
    """The least and the most that random features do at this strength, and whether this does more."""
    draws = (result.get("random_features") or {}).get("draws") or []
    if not draws:
        return []
    ends = []
    for name, pick in (("least", min), ("most", max)):
        found = {key: [draw[key] for draw in draws if draw[key] is not None] for key in ("raised", "lowered", "kl")}
        item = {key: pick(values) if values else None for key, values in found.items()}
        ends.append(_summary_row(f"random{name}", f"random, {name}", item, f"of {len(draws)} random features"))
    names = {"raised": "up", "lowered": "down", "kl": "KL"}
    beyond = result.get("beyond") or {}
    told = ", ".join(f"{names[key]} {'yes' if outside else 'no'}" for key, outside in beyond.items())
    style = palette.PLAIN if all(beyond.values()) else palette.WARN
    return [*ends, *([_title("beyond", f"  beyond control: {told}", style)] if told else [])]


def _summary_row(key: str, name: str, item: dict[str, Any], note: str = "") -> Row:
    up, down = number(item["raised"], sign=True), number(item["lowered"], sign=True)
    return _title(key, f"  {name:<14} up {up:>7}   down {down:>7}   KL {number(item['kl']):>7}   {note}", palette.PLAIN)


def _title(key: str, text: str, style: Any = palette.BOLD) -> Row:
    return Row(key, ((text, style),))


def steer_line(feature: str, summary: dict[str, Any]) -> str:
    """The `:` line that steers a feature, to be completed by the investigator."""
    rankings = summary.get("rankings") or []
    sets = [one["stimuli"] for one in rankings if one.get("design") != "tokens"]  # tokens are no stimulus set
    where = f"stimuli={sets[-1]} " if sets else "prompt='' "
    return f"steer.clamp '{feature}' {where}strength=1"
