"""The terminal that the app is shown on: whatever bytes it sends, and however it goes away."""

from __future__ import annotations

import os
import selectors
import signal
import sys
from codecs import getincrementaldecoder
from io import TextIOWrapper
from typing import Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from typing_extensions import override

GLANCE = 0.1
"""Seconds between two looks whether the app ends, and for an escape that no sequence follows."""
CHUNK = 4096


class TerminalDriver(LinuxDriver):
    """Textual's driver, but for bytes that are no UTF-8, a terminal that is gone, and one that was left for a shell."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file = _screen()

    @override
    def run_input_thread(self) -> None:
        """Read keys until the app ends; a terminal in another encoding and one that hangs up break nothing."""
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        parser = XTermParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                text = decode(self._read()) if selector.select(GLANCE) else ""
                for event in [*(parser.feed(text) if text else ()), *parser.tick()]:
                    self.process_message(event)

    def _read(self) -> bytes:
        """What was typed; without a terminal the process ends as the signal that tells of it would end it.

        With that signal ignored (`nohup`), nothing could ever be typed or seen again, and reading would never rest.
        """
        try:
            typed = os.read(self.fileno, CHUNK)
        except OSError:
            typed = b""
        if not typed:
            os._exit(128 + signal.SIGHUP)
        return typed

    @override
    def _sigcont_application(self, *arguments: Any) -> None:
        super()._sigcont_application(*arguments)
        if self._auto_restart:  # the shell wrote over the screen, and no cell of it is new to the app
            self._loop.call_soon_threadsafe(lambda: self._app.refresh(layout=True))


def _screen() -> TextIOWrapper:
    """Where the app is drawn: standard error, or standard output where the other goes to a file."""
    file = sys.__stderr__ if sys.__stderr__ is not None and sys.__stderr__.isatty() else sys.__stdout__
    assert isinstance(file, TextIOWrapper)
    file.reconfigure(errors="replace")  # one sign for one: an escape in its place would shift the columns
    return file
