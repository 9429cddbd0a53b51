"""A program that carries bytes to an engine elsewhere, as a socket to the blocking client."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from workbench.errors import EngineUnreachable

if TYPE_CHECKING:
    import subprocess

END_SECONDS = 2.0
LAST_BYTES = 4000
"""Of what the program said, so many are kept to be quoted."""
WORDS_SECONDS = 0.3
"""How long the last words of a program that ended may take; what it left behind may hold its end open for ever."""


class Carrier:
    """The program, with one end of a socket pair as its standard input and output.

    What it says on standard error is shown at once, and the last of it kept.

    Raises:
        EngineUnreachable: the program cannot be run.
    """

    def __init__(self, command: Sequence[str]) -> None:
        import subprocess

        self.link, theirs = socket.socketpair()
        with theirs:
            try:
                self.process: subprocess.Popen[bytes] = subprocess.Popen(
                    list(command), stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.PIPE
                )
            except OSError as error:
                self.link.close()
                reason = error.strerror or error
                raise EngineUnreachable(f"{command[0]} cannot be run ({reason})", "Install it.") from error
        self._said = bytearray()
        self._listening = threading.Thread(target=self._listen, name="what ssh says", daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        if self.process.stderr is None:
            return
        with self.process.stderr as words:
            while data := _some(words):
                self._said += data
                del self._said[:-LAST_BYTES]
                sys.stderr.write(data.decode("utf-8", "replace"))
                sys.stderr.flush()

    def last_words(self) -> tuple[str, int | None]:
        """What it said last, and its exit status where it ended."""
        import subprocess

        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return self._text(), None
        self._listening.join(WORDS_SECONDS)
        return self._text(), self.process.returncode

    def _text(self) -> str:
        return self._said.decode("utf-8", "replace").strip()

    def end(self) -> None:
        """Wait for the program, whose connection was closed; kill it if it does not end."""
        import subprocess

        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listening.join(WORDS_SECONDS)


def _some(words: IO[bytes]) -> bytes:
    return words.read1(4096)  # type: ignore[attr-defined,no-any-return]  # what is there, without waiting for more
