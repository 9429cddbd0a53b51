"""The demo goes on with discoveries that do much, not with the largest t."""

from __future__ import annotations

from commands.shell.leading import leading


def row(index: int, effect: float, q: float | None) -> dict[str, float | int | None]:
    return {"index": index, "effect": effect, "q": q}


def test_the_largest_effect_of_each_sign_among_the_discoveries_leads() -> None:
    rows = [
        row(1, 0.2, 1e-9),
        row(2, -0.1, 1e-9),
        row(3, 6.7, 1e-8),
        row(4, 9.0, 0.2),
        row(5, -3.0, 0.01),
        row(6, 0.0, None),
    ]
    assert leading({"rows": rows, "alpha": 0.05}) == (3, 5)


def test_a_side_without_a_discovery_has_no_leader() -> None:
    assert leading({"rows": [row(1, 0.2, 0.01), row(2, -5.0, 0.5)], "alpha": 0.05}) == (1, None)
    assert leading({"rows": [], "alpha": 0.05}) == (None, None)
