"""Text for a terminal: control and direction characters are shown and never carried out, whoever wrote them."""

from __future__ import annotations


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
