"""An engine that replays what a real one answered, and the recorder that writes such transcripts.

A transcript is a JSON list of `{"do", "params", "session", "reply" or "error", "progress"}`.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.digests import canonical_json
from workbench.engine.protocol import Engine, EventHandler, LinkState, Progress
from workbench.errors import UsageError, WorkbenchError, error_from_dict
from workbench.files import write_atomic
from workbench.uploads import marked
from workbench.verbs import Output, Upload, Verb

Exchange = dict[str, Any]


def portable_params(verb: Verb) -> dict[str, Any]:
    """The parameters with files by name only, so that a transcript fits any machine."""
    params = verb.params()
    for name in [*marked(type(verb), Upload), *marked(type(verb), Output)]:
        if isinstance(params[name], str):
            params[name] = Path(params[name]).name
    return params


def load_transcript(path: Path) -> list[Exchange]:
    """The exchanges of a transcript file."""
    exchanges: list[Exchange] = json.loads(path.read_text("utf-8"))
    return exchanges


class FakeEngine:
    """Answers as recorded; the same request asked again gets the next answer, the last one for ever.

    Args:
        transcripts: recorded exchanges, all of them together.
    """

    def __init__(self, transcripts: Iterable[Exchange]) -> None:
        self.on_event: EventHandler | None = None
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []
        """Every request so far: verb, parameters, session."""
        self.watched: str | None = None
        self.views: dict[str, dict[str, Any]] = {}
        self._state: LinkState = "connected"
        self._answers: defaultdict[str, deque[Exchange]] = defaultdict(deque)
        for exchange in transcripts:
            self._answers[_key(exchange["do"], exchange["params"])].append(exchange)

    @property
    def state(self) -> LinkState:
        """How the link stands; set by `become`."""
        return self._state

    async def request(
        self,
        verb: Verb,
        *,
        session: str | None,
        progress: Progress | None = None,
        detach: bool = False,
        fresh: bool = False,
    ) -> dict[str, Any]:
        """The recorded reply.

        Raises:
            UsageError: this request was never recorded; the message names it.
            WorkbenchError: the recorded error.
        """
        del detach, fresh  # they change when a result is computed, not what it is
        params = portable_params(verb)
        self.asked.append((verb.dotted, params, session))
        answers = self._answers.get(_key(verb.dotted, params)) or self._older(verb, params)
        if not answers:
            raise UsageError(
                f"no recorded answer to {verb.dotted} {canonical_json(params)} (session {session!r})",
                "Record it with workbench.engine.fake.Recorder.",
            )
        exchange = answers.popleft() if len(answers) > 1 else answers[0]
        for done, total, text in exchange.get("progress", []):
            if progress is not None:
                progress(done, total, text)
            await asyncio.sleep(0)
        if "error" in exchange:
            raise error_from_dict(exchange["error"])
        reply: dict[str, Any] = exchange["reply"]
        return reply

    def _older(self, verb: Verb, params: dict[str, Any]) -> deque[Exchange] | None:
        """Answers recorded before the verb got the fields that this request leaves at their defaults."""
        fields = type(verb).model_fields
        usual = {name for name, field in fields.items() if not field.is_required() and params[name] == field.default}
        for answers in self._answers.values():
            known = answers[0]["params"] if answers[0]["do"] == verb.dotted else None
            if known is not None and params.keys() - known.keys() <= usual and known.items() <= params.items():
                return answers
        return None

    async def watch(self, session: str | None) -> None:
        """Note the session; events come from `emit`."""
        self.watched = session

    async def save_view(self, session: str, view: dict[str, Any]) -> None:
        """Note the view."""
        self.views[session] = view

    async def close(self) -> None:
        """Nothing to let go of."""
        self._state = "closed"

    def emit(self, event: dict[str, Any]) -> None:
        """Send an event, as a real engine would unasked."""
        if self.on_event is not None:
            self.on_event(event)

    def become(self, state: LinkState) -> None:
        """Lose or find the link."""
        self._state = state
        self.emit({"event": "state", "state": state})


class Recorder:
    """Passes requests on to any engine and writes down what it answered."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.on_event: EventHandler | None = None
        self.exchanges: list[Exchange] = []

    @property
    def state(self) -> LinkState:
        """The state of the engine behind."""
        return self._engine.state

    async def request(
        self,
        verb: Verb,
        *,
        session: str | None,
        progress: Progress | None = None,
        detach: bool = False,
        fresh: bool = False,
    ) -> dict[str, Any]:
        """Ask the engine behind and write the exchange down, errors too.

        Raises:
            WorkbenchError: what the engine answered.
        """
        steps: list[list[Any]] = []

        def note(done: int, total: int, text: str) -> None:
            steps.append([done, total, text])
            if progress is not None:
                progress(done, total, text)

        exchange: Exchange = {"do": verb.dotted, "params": portable_params(verb), "session": session}
        try:
            reply = await self._engine.request(verb, session=session, progress=note, detach=detach, fresh=fresh)
        except WorkbenchError as error:
            self.exchanges.append({**exchange, "error": error.as_dict(), "progress": steps})
            raise
        self.exchanges.append({**exchange, "reply": reply, "progress": steps})
        return reply

    async def watch(self, session: str | None) -> None:
        """Passed on; events of the engine behind come to this recorder's `on_event`."""
        self._engine.on_event = self.on_event
        await self._engine.watch(session)

    async def save_view(self, session: str, view: dict[str, Any]) -> None:
        """Passed on."""
        await self._engine.save_view(session, view)

    async def close(self) -> None:
        """Close the engine behind."""
        await self._engine.close()

    def save(self, path: Path) -> None:
        """Write the transcript."""
        write_atomic(path, json.dumps(self.exchanges, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def shape(value: Any) -> Any:
    """The kinds of a JSON value without its content, to compare a transcript with a new recording.

    Lists are told by their first item; whole and broken numbers are one kind.
    """
    if isinstance(value, dict):
        return {name: shape(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _key(do: str, params: dict[str, Any]) -> str:
    return f"{do} {canonical_json(params)}"
