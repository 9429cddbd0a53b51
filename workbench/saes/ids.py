"""The stable ids of features: `SPACE#INDEX`, for example `demo/blocks.1.hook_resid_post/sae#417`."""

from __future__ import annotations

from workbench.errors import UnknownNameError


def feature_id(space: str, index: int) -> str:
    """The stable id of a feature, for example `demo/blocks.1.hook_resid_post/sae#417`."""
    return f"{space}#{index}"


def feature_index(text: str, space: str, width: int, whose: str = "loaded") -> int:
    """The index that an id, `#417` or `417` means in a space, of the `whose` features.

    Raises:
        UnknownNameError: an id of another space, an index the space does not have, or several.
    """
    owner, _, number = text.rpartition("#")
    if owner and owner != space:
        raise UnknownNameError(
            f"feature {text!r} is of another space", f"The {whose} features are {space}#0 to #{width - 1}."
        )
    if "," in number:
        raise UnknownNameError(f"one feature is asked for, not {text!r}", "Give one id or number.")
    if not (number.isascii() and number.isdigit()) or int(number) >= width:
        raise UnknownNameError(f"no feature {text!r}", f"The {whose} features are {space}#0 to #{width - 1}.")
    return int(number)
