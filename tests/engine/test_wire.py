"""The codec: whatever comes in is a message or a clear error, never a crash."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.engine import wire
from workbench.engine.wire import Lines, ProtocolError, TooLong, check_hello, decode, encode, hello

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@unhurried
@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_a_message_comes_back_as_it_was(message: dict[str, object]) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == message


def test_a_lone_surrogate_travels() -> None:
    assert decode(encode({"text": "\ud800"})[:-1]) == {"text": "\ud800"}


@unhurried
@given(st.binary(max_size=300))
def test_garbage_is_a_protocol_error_or_a_message(data: bytes) -> None:
    for line in Lines().feed(data + b"\n"):
        try:
            assert isinstance(decode(line), dict)
        except ProtocolError as error:
            assert error.kind == "protocol"
            assert error.message


@pytest.mark.parametrize(
    "line",
    [b"", b"[1]", b"null", b'"x"', b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe", b"1" * 6000, b"[" * 200_000],
)  # fmt: skip
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)


@unhurried
@given(st.lists(st.binary(max_size=40).filter(lambda part: b"\n" not in part), max_size=8), st.integers(1, 7))
def test_lines_are_cut_the_same_however_the_bytes_arrive(parts: list[bytes], step: int) -> None:
    data = b"".join(part + b"\n" for part in parts)
    lines = Lines()
    found = [line for start in range(0, len(data), step) for line in lines.feed(data[start : start + step])]
    assert found == parts


def test_an_overlong_line_is_skipped_and_the_next_one_read() -> None:
    lines = Lines(limit=10)
    assert lines.feed(b"x" * 8) == []
    assert lines.feed(b"y" * 8) == []
    found = lines.feed(b"z\n{}\n")
    assert isinstance(found[0], TooLong)
    assert found[1] == b"{}"
    with pytest.raises(ProtocolError, match="longer than 10"):
        decode(found[0])


def test_what_json_cannot_say_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match="cannot be written"):
        encode({"p": float("nan")})
    with pytest.raises(ProtocolError, match="over the limit"):
        encode({"x": "y" * wire.MESSAGE_LIMIT})


@pytest.mark.parametrize("message", [{}, {"hello": 99}, {"hello": True}, {"hello": "1"}, {"do": "x"}])
def test_another_protocol_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match="hello"):
        check_hello(message)


def test_our_own_hello_is_accepted() -> None:
    check_hello(hello())
