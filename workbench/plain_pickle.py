"""Pickles of plain values read without executing them: only int, str, list, dict and tuple exist here.

A pickle is a program, and Python's reader runs it. This one is a reader of its own: it knows the instructions that make
plain values, and refuses every other one by name, so that nothing in a file can name a function, a class or a module.
"""

from __future__ import annotations

import pickletools
from typing import Any

from workbench.errors import InputFileError

_NUMBERS = {"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4"}
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_NOTHING = {"PROTO", "FRAME"}
_PUT, _GET = {"PUT", "BINPUT", "LONG_BINPUT"}, {"GET", "BINGET", "LONG_BINGET"}
_EMPTY: dict[str, type] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


def read_plain_pickle(data: bytes, name: str) -> Any:
    """The value that a pickle holds, made of int, str, list, dict and tuple alone.

    Args:
        data: the file's content.
        name: of the file, for messages.

    Raises:
        InputFileError: not a pickle, a broken one, or one that holds anything else.
    """
    machine = _Machine(name)
    try:
        for instruction, argument, _ in pickletools.genops(data):
            machine.step(instruction.name, argument)
        return machine.result()
    except InputFileError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise InputFileError(f"{name} is not a readable pickle ({error})", "Was it downloaded whole?") from error


class _Machine:
    """The stack and the memory of a pickle's instructions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.ended = False

    def step(self, instruction: str, argument: Any) -> None:
        if (instruction in _NUMBERS and type(argument) is int) or instruction in _TEXTS:
            self.stack.append(argument)
        elif instruction in _EMPTY:
            self.stack.append(_EMPTY[instruction]())
        elif instruction == "MARK":
            self.stack.append(_MARK)
        elif instruction == "MEMOIZE":
            self.memory[len(self.memory)] = self._top()
        elif instruction in _PUT:
            self.memory[int(argument)] = self._top()
        elif instruction in _GET:
            self.stack.append(self.memory[int(argument)])
        elif instruction in _TUPLES:
            self._tuple(_TUPLES[instruction])
        elif instruction == "STOP":
            self.ended = True
        elif instruction not in _NOTHING:
            self._collect(instruction)

    def _collect(self, instruction: str) -> None:
        """The instructions that move values into a container."""
        if instruction == "APPEND":
            self._extend([self._pop()])
        elif instruction == "APPENDS":
            self._extend(self._to_mark())
        elif instruction == "SETITEM":
            value, key = self._pop(), self._pop()
            self._set([key, value])
        elif instruction == "SETITEMS":
            self._set(self._to_mark())
        elif instruction in ("LIST", "TUPLE"):
            items = self._to_mark()
            self.stack.append(items if instruction == "LIST" else tuple(items))
        elif instruction == "DICT":
            items = self._to_mark()
            self.stack.append({})
            self._set(items)
        else:
            raise InputFileError(
                f"{self.name} holds something else than int, str, list, dict and tuple (instruction {instruction})",
                "Only plain values are read from pickles: save the clusters as lists of numbers.",
            )

    def result(self) -> Any:
        if not self.ended or len(self.stack) != 1 or self.stack[0] is _MARK:
            raise ValueError("it ends in the middle")
        return self.stack[0]

    def _top(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise ValueError("an instruction finds nothing to work on")
        return self.stack[-1]

    def _pop(self) -> Any:
        value = self._top()
        self.stack.pop()
        return value

    def _to_mark(self) -> list[Any]:
        items = []
        while self.stack[-1] is not _MARK:
            items.append(self.stack.pop())
        self.stack.pop()
        return items[::-1]

    def _tuple(self, size: int) -> None:
        self.stack.append(tuple(self._pop() for _ in range(size))[::-1])

    def _extend(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) is not list:
            raise ValueError("something is appended to what is no list")
        target.extend(items)

    def _set(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) is not dict or len(items) % 2:
            raise ValueError("a key is set in what is no dict")
        target.update(zip(items[::2], items[1::2], strict=True))
