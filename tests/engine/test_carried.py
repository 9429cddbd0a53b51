"""Files of a front end on another machine: written where its user sits, and read from there."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine import toy
from tests.engine.conftest import Place
from workbench.engine.async_client import AsyncClient
from workbench.engine.carried import CHUNK, MOST_PARTS, Asking, fetching, sending
from workbench.engine.client import Client
from workbench.engine.outbox import Outbox
from workbench.engine.spawn import python_command
from workbench.engine.streams import program_dial
from workbench.engine.wire import CAPABILITIES, ProtocolError
from workbench.errors import EngineDied, UsageError, WorkbenchError

WAY = python_command("tests.engine.toy_stdio")
ENGINE = {"capabilities": list(CAPABILITIES)}


@pytest.fixture
def far(shared: Place) -> Iterator[Client]:
    with Client(None, through=WAY) as client:
        yield client


def boxes() -> list[Path]:
    folder = Path(os.environ["WORKBENCH_HOME"]) / "carried"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_what_is_written_over_there_arrives_here(far: Client, tmp_path: Path) -> None:
    text = "0123456789abcdef" * (CHUNK // 10)  # more than one part
    verb = toy.Write(out=str(tmp_path / "x.txt"), folder=str(tmp_path / "f"), text=text)
    told: list[tuple[int, int, str]] = []
    reply = far.request(verb, progress=lambda *said: told.append(said))
    assert (0, 1, "fetching x.txt, MB") in told
    assert (tmp_path / "x.txt").read_text() == text
    assert (tmp_path / "f" / "empty").read_bytes() == b""
    written = Path((tmp_path / "f" / "inner" / "a.txt").read_text())
    assert written != tmp_path / "x.txt", "it was written at once, as if over there were here"
    assert reply["result"] == {"out": str(tmp_path / "x.txt"), "folder": str(tmp_path / "f"), "same": "../f"}
    assert reply["params"]["out"] == str(tmp_path / "x.txt")
    assert "carried" not in reply
    assert boxes() == [], "something stays over there"


def test_the_app_s_client_fetches_as_well(shared: Place, tmp_path: Path) -> None:
    async def scenario() -> tuple[Any, Any]:
        client = AsyncClient(program_dial(WAY), shared.sessions, where="me@box")
        wrote = await client.request(toy.Write(out=str(tmp_path / "x.txt")), session=None)
        read = await client.request(toy.Read(file=str(tmp_path / "x.txt")), session=None)
        await client.close()
        return wrote["result"]["out"], read["result"]["texts"]

    assert asyncio.run(scenario()) == (str(tmp_path / "x.txt"), {"x.txt": "written"})


def test_what_is_read_is_sent_from_here(far: Client, tmp_path: Path) -> None:
    (tmp_path / "d" / "in").mkdir(parents=True)
    (tmp_path / "d" / "in" / "a").write_text("one")
    (tmp_path / "d" / "b").write_text("")
    reply = far.request(toy.Read(file=str(tmp_path / "d")))["result"]
    assert reply["texts"] == {"a": "one", "b": ""}
    assert not reply["file"].startswith(str(tmp_path)), "it was read at once, as if over there were here"
    assert boxes() == [], "something stays over there"


def test_a_work_that_fails_leaves_nothing(far: Client, tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    with pytest.raises(UsageError, match="no folder"):
        far.request(toy.Write(out=str(tmp_path / "nowhere" / "x")))
    with pytest.raises(WorkbenchError, match="failed unexpectedly"):
        far.request(toy.Write(out=str(tmp_path / "x"), text="\ud800"))
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]
    assert boxes() == []


def test_an_engine_that_cannot_send_is_not_asked(tmp_path: Path, far: Client) -> None:
    far.engine = {**far.engine, "capabilities": ["files"]}
    with pytest.raises(UsageError, match="cannot send what"):
        far.request(toy.Write(out=str(tmp_path / "x")))
    (tmp_path / "here").touch()
    with pytest.raises(UsageError, match="cannot take what"):
        far.request(toy.Read(file=str(tmp_path / "here")))


def carried(place: str, data: bytes, size: int | None = None, field: str = "folder") -> dict[str, Any]:
    told = {"field": field, "place": place, "bytes": len(data) if size is None else size}
    told["sha256"] = hashlib.sha256(data).hexdigest()
    return {"result": {}, "params": {}, "carried": {"box": "b", "paths": {}, "files": [told]}}


@pytest.mark.parametrize("place", ["../x", "/etc/x", "a/../../x", "a//b", ".", "..", "a\0b", "a/", 7])
def test_a_place_outside_is_refused(place: Any, tmp_path: Path) -> None:
    verb = toy.Write(out=str(tmp_path / "o"), folder=str(tmp_path / "f"))
    with pytest.raises(EngineDied, match="not asked for"):
        next(fetching(verb, carried(place, b"x")))
    with pytest.raises(EngineDied, match="not asked for"):
        next(fetching(verb, carried("", b"x", field="text")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", [{"base64": "YWI="}, {"base64": "!"}, {"base64": ""}, {}, {"base64": 3}])
def test_a_file_that_does_not_come_whole_takes_no_place(answer: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "o").write_text("before")
    asking = fetching(toy.Write(out=str(tmp_path / "o")), carried("", b"abc", field="out"))
    next(asking)
    with pytest.raises(EngineDied):
        for _ in range(9):
            asking.send(answer)
    assert (tmp_path / "o").read_text() == "before"
    assert list(tmp_path.iterdir()) == [tmp_path / "o"]


def test_a_link_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "l").symlink_to("/etc/passwd")
    asking = sending(toy.Read(file=str(tmp_path / "d")), ENGINE)
    assert [next(asking), next(asking)] == [{"open": True}, None]
    with pytest.raises(UsageError, match="holds a link"):
        asking.send({"box": "b"})


def test_a_front_end_cannot_leave_its_boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    outbox, other = Outbox(), Outbox()
    box = outbox.open()["box"]
    assert (tmp_path / "carried" / box).stat().st_mode & 0o777 == 0o700
    for place in ("../x", "/x", "a/../../x", 3, ""):
        with pytest.raises(ProtocolError):
            outbox.store({"store": box, "place": place, "base64": "YQ=="})
        with pytest.raises(ProtocolError):
            outbox.sent(toy.Read, {}, {"box": box, "places": {"file": place}})
    with pytest.raises(ProtocolError):
        outbox.sent(toy.Echo, {}, {"box": box, "places": {"text": "a"}})
    for message in ({"fetch": box, "file": 0, "offset": 0}, {"fetch": "../..", "file": 0, "offset": 0}):
        with pytest.raises(ProtocolError):
            outbox.read(message)
    for wrong in (box, "..", None, [box]):
        with pytest.raises(ProtocolError):
            other.drop(wrong)
    with pytest.raises(UsageError, match="absolute"):
        outbox.divert(toy.Write, {"out": "/a/../b"})
    outbox.clear()
    assert list((tmp_path / "carried").iterdir()) == []


class Link:
    """A link that answers in its own time, and knows how many questions were under way at once."""

    def __init__(self, data: bytes, seconds: float) -> None:
        self.data, self.seconds, self.now = data, seconds, 0.0
        self.asked: list[dict[str, Any]] = []
        self.most = 0

    def drive(self, asking: Asking) -> dict[str, Any]:
        try:
            step = next(asking)
            while True:
                if step is not None:
                    self.asked.append(step)
                    self.most = max(self.most, len(self.asked))
                    step = next(asking)
                else:
                    self.now += self.seconds
                    step = asking.send(self.answer(self.asked.pop(0)))
        except StopIteration as done:
            found: dict[str, Any] = done.value
            return found

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if "fetch" in message:
            part = self.data[message["offset"] : message["offset"] + CHUNK]
            return {"base64": base64.b64encode(part).decode("ascii")}
        if "store" in message:
            part = base64.b64decode(message["base64"])
            self.data = self.data[: message["offset"]].ljust(message["offset"], b"\0") + part
            return {"stored": len(part)}
        return {"box": "b"}


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.001, MOST_PARTS, MOST_PARTS), (2.0, 2, 3)])
def test_a_quick_link_is_filled_and_a_slow_one_stays_free(
    seconds: float, least: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(range(256)) * (CHUNK // 256) * 60 + b"end"
    link = Link(data, seconds)
    monkeypatch.setattr("workbench.engine.carried.time.monotonic", lambda: link.now)
    link.drive(fetching(toy.Write(out=str(tmp_path / "o")), carried("", data, field="out")))
    assert (tmp_path / "o").read_bytes() == data
    assert least <= link.most <= most
    link.most, link.data = 0, b""
    link.drive(sending(toy.Read(file=str(tmp_path / "o")), ENGINE))
    assert link.data == data
    assert least <= link.most <= most


def test_an_engine_that_only_appends_is_sent_one_part_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "o").write_bytes(b"x" * CHUNK * 5)
    link = Link(b"", 0.0)
    link.drive(sending(toy.Read(file=str(tmp_path / "o")), {"capabilities": ["carry"]}))
    assert (link.most, len(link.data)) == (1, 5 * CHUNK)


def test_a_link_that_breaks_says_how_far_the_file_was_and_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "o").write_text("before")
    asking = fetching(toy.Write(out=str(tmp_path / "o")), carried("", b"x" * CHUNK * 9, field="out"))
    answer: dict[str, Any] | None = None
    for given in (None, {"base64": base64.b64encode(b"x" * CHUNK).decode("ascii")}):
        answer = given
        while asking.send(answer) is not None:
            answer = None
    with pytest.raises(EngineDied, match=r"0\.1 of 1\.2 MB of o were over"):
        asking.throw(EngineDied("the link broke"))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_parts_of_a_file_may_come_in_any_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    outbox = Outbox()
    box = outbox.open()["box"]
    for offset, text in ((4, "Ym8="), (0, "YWJjZA=="), (6, "eA==")):
        outbox.store({"store": box, "place": "f", "offset": offset, "base64": text})
    assert (tmp_path / "carried" / box / "f").read_bytes() == b"abcdbox"
    for wrong in (-1, "0", True):
        with pytest.raises(ProtocolError, match="no place"):
            outbox.store({"store": box, "place": "f", "offset": wrong, "base64": "YQ=="})
