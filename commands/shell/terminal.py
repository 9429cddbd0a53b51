"""Text for a terminal: control and direction characters are shown and never carried out, whoever wrote them."""

from __future__ import annotations

from typing import TextIO


def visible(text: str) -> str:
    """Text with control and direction characters made visible; tokens come from anywhere."""
    return "".join(letter if letter.isprintable() else _named(letter) for letter in text)


def _named(letter: str) -> str:
    return {"\n": "↵", "\t": "→", "\r": "␍"}.get(
        letter, f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"
    )


def visible_lines(text: str) -> str:
    """As `visible`, with the line ends kept."""
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def speak_any_encoding(*streams: TextIO) -> None:
    """Let a sign that a stream's encoding lacks break nothing: `?` on a terminal, where columns are to stay aligned.

    In a file or a pipe it becomes its number, so that nothing is lost.
    """
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace" if stream.isatty() else "backslashreplace")
