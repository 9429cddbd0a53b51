"""The recorded engine: the same answers, in the same order, and a clear word on what was not recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine import toy
from tests.engine.conftest import Place
from workbench.engine.fake import FakeEngine, Recorder, load_transcript, shape
from workbench.engine.protocol import Engine
from workbench.errors import MismatchError, UsageError


def test_a_recording_answers_as_the_engine_did(shared: Place, tmp_path: Path) -> None:
    shared.session("recorded")
    path = tmp_path / "transcript.json"
    (tmp_path / "in.txt").write_text("content")

    async def ask(engine: Engine, folder: Path) -> list[Any]:
        steps: list[Any] = []
        answers: list[Any] = [
            await engine.request(
                toy.Work(steps=2),
                session="recorded",
                progress=lambda done, total, text: steps.append([done, total, text]),
            ),
            await engine.request(toy.Take(file=str(folder / "in.txt")), session="recorded"),
        ]
        with pytest.raises(MismatchError, match="do not fit"):
            await engine.request(toy.Crash(how="usage"), session="recorded")
        return [answers, steps]

    async def record() -> list[Any]:
        recorder = Recorder(shared.async_client())
        found = await ask(recorder, tmp_path)
        await recorder.close()
        recorder.save(path)
        return found

    recorded = asyncio.run(record())
    replayed = asyncio.run(ask(FakeEngine(load_transcript(path)), Path("/elsewhere")))
    assert replayed == recorded


def test_a_request_that_was_not_recorded_is_named() -> None:
    fake = FakeEngine([])
    with pytest.raises(UsageError, match=r'no recorded answer to toy\.echo \{"size":0,"text":"x"\} \(session \'s\'\)'):
        asyncio.run(fake.request(toy.Echo(text="x"), session="s"))
    assert fake.asked == [("toy.echo", {"text": "x", "size": 0}, "s")]


def test_the_same_request_gets_the_next_answer_and_the_last_for_ever() -> None:
    params = {"text": "", "size": 0}
    fake = FakeEngine([{"do": "toy.echo", "params": params, "session": None, "reply": {"n": n}} for n in (1, 2)])

    async def scenario() -> list[int]:
        return [(await fake.request(toy.Echo(), session=None))["n"] for _ in range(4)]

    assert asyncio.run(scenario()) == [1, 2, 2, 2]


def test_a_recording_from_before_a_field_answers_requests_that_leave_it_at_its_default() -> None:
    fake = FakeEngine([{"do": "toy.echo", "params": {"text": "x"}, "session": None, "reply": {"n": 1}}])
    assert asyncio.run(fake.request(toy.Echo(text="x"), session=None)) == {"n": 1}
    for other in (toy.Echo(text="x", size=3), toy.Echo(text="y")):
        with pytest.raises(UsageError, match="no recorded answer"):
            asyncio.run(fake.request(other, session=None))


def test_events_and_states_are_sent_by_hand() -> None:
    fake = FakeEngine([])
    heard: list[dict[str, Any]] = []
    fake.on_event = heard.append

    async def scenario() -> None:
        await fake.watch("s")
        await fake.save_view("s", {"row": 1})
        fake.emit({"event": "changed", "session": "s"})
        fake.become("lost")
        await fake.close()

    asyncio.run(scenario())
    assert heard == [{"event": "changed", "session": "s"}, {"event": "state", "state": "lost"}]
    assert (fake.watched, fake.views, fake.state) == ("s", {"s": {"row": 1}}, "closed")


def test_a_shape_is_the_kinds_without_the_content() -> None:
    assert shape({"b": [1, 2], "a": None, "c": True, "d": 0.5, "e": []}) == {
        "a": "NoneType", "b": ["number"], "c": "bool", "d": "number", "e": [],
    }  # fmt: skip
