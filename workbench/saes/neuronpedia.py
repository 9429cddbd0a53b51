"""Where a feature has its page on Neuronpedia; nothing is ever fetched from there."""

from __future__ import annotations

import re

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}/[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def checked_id(value: object) -> str:
    """The id that an SAE's files give, MODEL/SAE, or "" where it is none; third-party text never makes another link."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def page(identifier: str, feature: int) -> str:
    """The address of a feature's page, or "" where its SAE has no id there."""
    return f"https://www.neuronpedia.org/{identifier}/{feature}" if checked_id(identifier) else ""
