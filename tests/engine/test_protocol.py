"""Hostile and broken front ends: each gets its error, nobody else notices."""

from __future__ import annotations

import json
import random
import socket
import string
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.engine import toy
from tests.engine.conftest import PATIENCE, Place
from workbench.engine.wire import LINE_LIMIT, hello


class Raw:
    """A connection on which a test says whatever it likes."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.file = link.makefile("rb")

    def say(self, *messages: Any) -> None:
        for message in messages:
            raw = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
            self.link.sendall(raw)

    def hear(self) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(self.file.readline())
            if "event" not in message and "progress" not in message:
                return message


@contextmanager
def raw(place: Place, greet: bool = True) -> Iterator[Raw]:
    place.client().close()  # there is an engine
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(PATIENCE)
        link.connect(str(place.address.socket))
        connection = Raw(link)
        try:
            if greet:
                connection.say(hello())
                assert connection.hear()["hello"] == 1
            yield connection
        finally:
            connection.file.close()


ECHO = {"id": "after", "do": "toy.echo", "params": {"text": "still here"}}


def test_no_request_before_the_hello(shared: Place) -> None:
    with raw(shared, greet=False) as connection:
        connection.say(ECHO)
        assert connection.hear()["error"]["kind"] == "protocol"
        connection.say({"hello": 99})
        assert "speaks 1" in connection.hear()["error"]["message"]
        connection.say(hello(), ECHO)
        assert connection.hear()["capabilities"]
        assert connection.hear()["result"]["result"]["text"] == "still here"


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"garbage\n",
        b"\x00\xff\xfe\n",
        b"[1,2]\n",
        b'{"id": 1}\n',
        b'{"do": "toy.echo"}\n',
        b'{"id": true, "do": "toy.echo"}\n',
        b'{"id": [1], "do": "toy.echo"}\n',
        b'{"id": 1, "do": 7}\n',
        b'{"id": 1, "do": "no.such.verb"}\n',
        b'{"id": 1, "do": "toy.echo", "params": []}\n',
        b'{"id": 1, "do": "toy.echo", "params": {"size": "many"}}\n',
        b'{"id": 1, "do": "toy.echo", "params": {"unknown": 1}}\n',
        b'{"id": 1, "do": "toy.echo", "session": 5}\n',
        b'{"id": 1, "do": "toy.echo", "session": "../../etc"}\n',
        b'{"id": 1, "do": "toy.echo", "session": "a\\u0000b"}\n',
        b'{"id": 1, "do": "toy.echo", "sessions": "relative"}\n',
        b'{"id": 1, "do": "toy.echo", "detach": "yes"}\n',
        b'{"id": 1, "do": "toy.echo", "files": {"x": {"name": "y", "base64": "AA=="}}}\n',
        b'{"id": 1, "do": "toy.take", "session": "x", "files": {"file": 3}}\n',
        b'{"id": 1, "do": "toy.take", "session": "x", "files": {"file": {"name": "y", "base64": "%%%"}}}\n',
        b'{"id": 1, "do": "toy.take", "session": "x", "files": {"file": {"name": "y", "base64": 5}}}\n',
        b'{"id": 1, "view": {"a": 1}}\n',
        b'{"id": 1, "view": [], "session": "x"}\n',
        b'{"id": 1, "watch": 5}\n',
        b'{"id": 1, "watch": "nowhere"}\n',
        b'{"id": 1, "hello": 2}\n',
        b'{"id": 1, "do": "toy.echo", "params": {"text": "' + b"x" * 300_000 + b'"}}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_a_bad_line_gets_an_error_and_the_connection_goes_on(shared: Place, line: bytes) -> None:
    with raw(shared) as connection:
        connection.say(line)
        error = connection.hear()["error"]
        assert set(error) == {"kind", "message", "hint"}
        assert len(error["message"]) < 600
        connection.say(ECHO)
        assert connection.hear()["result"]["result"]["text"] == "still here"


def test_a_cancel_of_nothing_is_no_error(shared: Place) -> None:
    with raw(shared) as connection:
        connection.say({"cancel": 7}, {"cancel": [1]}, {"cancel": None}, ECHO)
        assert connection.hear()["id"] == "after"


def test_a_line_without_end_is_skipped(shared: Place) -> None:
    with raw(shared) as connection:
        block = b"x" * 1_000_000
        for _ in range(LINE_LIMIT // len(block) + 2):
            connection.say(block)
        connection.say(b"\n", ECHO)
        assert "longer than" in connection.hear()["error"]["message"]
        assert connection.hear()["id"] == "after"


def test_half_a_line_and_a_hang_up_hurt_no_one(shared: Place) -> None:
    with raw(shared) as other:
        with raw(shared) as connection:
            connection.say(b'{"id": 1, "do": "toy.ec')
        other.say(ECHO)
        assert other.hear()["id"] == "after"


def test_an_id_under_way_is_not_taken_twice(shared: Place) -> None:
    shared.session("ids")
    work = {"id": 5, "do": "toy.work", "params": {"steps": 500}, "session": "ids", "sessions": str(shared.sessions)}
    with raw(shared) as connection:
        connection.say(work, work)
        assert "still under way" in connection.hear()["error"]["message"]
        connection.say({"cancel": 5})
        assert connection.hear()["error"]["kind"] == "cancelled"


def test_one_front_end_cannot_ask_without_end(shared: Place) -> None:
    with raw(shared) as connection:
        connection.say(*({"id": number, "do": "toy.long", "params": {"steps": 100_000}} for number in range(257)))
        answer = connection.hear()
        assert answer["id"] == 256
        assert "under way" in answer["error"]["message"]


def test_a_front_end_that_never_reads_is_cut_off_and_the_others_served(shared: Place) -> None:
    with raw(shared) as deaf:
        deaf.link.settimeout(5)
        try:
            for number in range(400):
                deaf.say({"id": number, "do": "toy.echo", "params": {"size": 200_000}})
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        assert shared.request(toy.Echo(text="served"))["result"]["text"] == "served"
        with suppress(ConnectionResetError):  # the end comes after what was on its way; without it this times out
            while deaf.link.recv(1 << 20):
                pass


def test_random_messages_never_break_the_engine(shared: Place) -> None:
    generator = random.Random(7)
    pid = shared.status()["pid"]
    with raw(shared) as connection:
        for _ in range(300):
            connection.say(_mangled(generator) + b"\n")
    assert shared.status()["pid"] == pid


def _mangled(generator: random.Random) -> bytes:
    good = json.dumps(
        {"id": generator.randint(0, 9), **generator.choice([ECHO, {"watch": None}, {"view": {}}, hello()])}
    )
    characters = list(good)
    for _ in range(generator.randint(0, 4)):
        characters[generator.randrange(len(characters))] = generator.choice(string.printable.replace("\n", ""))
    return "".join(characters).encode()


def test_a_stranger_s_connection_is_closed_at_once(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from workbench.engine import broker
    from workbench.engine.address import Address

    monkeypatch.setattr(broker, "is_own_user", lambda _connection: False)
    path = shared.root / "run" / "stranger.sock"

    async def scenario() -> bytes:
        engine = broker.Broker(toy.REGISTRY, Address(path), "tests.engine.toy_child", broker.Limits())
        server = await asyncio.start_unix_server(engine._connected, path=path)
        reader, writer = await asyncio.open_unix_connection(path)
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return said

    assert asyncio.run(scenario()) == b""
