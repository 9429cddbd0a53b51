"""The two widgets every screen is made of: windowed lists, and tokens in heat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from screens.widgets.heatmap import Heatmap, Sentence
from screens.widgets.lines import Column, Lines, Row

HOSTILE = ("[bold]", "\x1b[2J", "\n", "", " a\tb", "\u202e", "日本", "[/]")


class Host(App[None]):
    """Holds one widget, and what it told about keys that do nothing."""

    CSS = "Painted { width: 1fr; height: 1fr; }"

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.explained: list[str] = []

    def explain(self, text: str) -> None:
        self.explained.append(text)

    def compose(self) -> ComposeResult:
        yield self.widget


def host(widget: Widget, scenario: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (60, 12)) -> None:
    async def run() -> None:
        async with Host(widget).run_test(size=size) as pilot:
            await pilot.pause()
            await scenario(pilot)

    asyncio.run(run())


def shown(pilot: Pilot[None]) -> list[str]:
    return [strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips()]


async def rest(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def numbered(count: int) -> list[Row]:
    return [Row(f"k{place}", (str(place), f"row {place}")) for place in range(count)]


COLUMNS = (Column("n", 7, "right"), Column("text"))


def test_a_long_list_fetches_only_what_is_seen() -> None:
    asked: list[tuple[int, int]] = []

    async def fetch(offset: int, limit: int) -> tuple[list[Row], int]:
        asked.append((offset, limit))
        return [Row(f"k{place}", (str(place), "late")) for place in range(offset, offset + limit)], 100_000

    lines = Lines(COLUMNS)

    async def scenario(pilot: Pilot[None]) -> None:
        lines.show_source(fetch, numbered(100), 100_000)
        await pilot.press("G")
        await rest(pilot)
        assert asked == [(99_900, 100)]
        assert lines.key == "k99999"
        assert shown(pilot)[-1].strip() == "100,000 of 100,000"
        await pilot.press("g")
        await rest(pilot)
        assert len(asked) == 1
        assert lines.key == "k0"

    host(lines, scenario)


def test_rows_on_their_way_are_shown_as_such() -> None:
    async def never(offset: int, limit: int) -> tuple[list[Row], int]:
        await asyncio.Event().wait()
        raise AssertionError

    lines = Lines(COLUMNS)

    async def scenario(pilot: Pilot[None]) -> None:
        lines.show_source(never, [], 500)
        await pilot.pause()
        assert "…" in shown(pilot)[1]
        assert "1 of 500" in shown(pilot)[-1]

    host(lines, scenario)


def test_a_cursor_step_repaints_three_lines_at_most() -> None:
    lines = Lines(COLUMNS)
    painted: list[int] = []

    async def scenario(pilot: Pilot[None]) -> None:
        lines.show(numbered(100))
        await pilot.pause()
        original = lines.pieces

        def counting(y: int, width: int) -> Any:
            painted.append(y)
            return original(y, width)

        lines.pieces = counting  # type: ignore[method-assign]
        await pilot.press("j")
        await pilot.pause()
        assert sorted(painted) == [1, 2, 11]

    host(lines, scenario)


def test_the_cursor_stays_on_its_row_when_rows_change() -> None:
    lines = Lines(COLUMNS)

    async def scenario(pilot: Pilot[None]) -> None:
        lines.show(numbered(20))
        await pilot.press("j", "j")
        lines.show([Row("new", ("0", "new")), *numbered(20)])
        assert lines.key == "k2"
        lines.show([])
        await pilot.press("j", "G", "enter", "space")
        assert lines.key == ""
        assert cast(Host, pilot.app).explained == ["there is nothing to open", "there is nothing to mark"]

    host(lines, scenario)


def test_another_reason_why_there_are_no_rows_is_painted() -> None:
    lines = Lines(COLUMNS)

    async def scenario(pilot: Pilot[None]) -> None:
        assert not any(shown(pilot))
        lines.empty = "No labels yet."
        lines.show([])
        await pilot.pause()
        assert shown(pilot)[2] == "  No labels yet."

    host(lines, scenario)


def test_hostile_cells_neither_parse_nor_break_the_line() -> None:
    lines = Lines(COLUMNS)

    async def scenario(pilot: Pilot[None]) -> None:
        lines.show([Row(str(place), (str(place), token)) for place, token in enumerate(HOSTILE)])
        await pilot.pause()
        text = shown(pilot)
        assert "[bold]" in text[1]
        assert "␛[2J" in text[2]
        assert "⟨202e⟩" in text[6]
        assert all("\x1b" not in line for line in text)

    host(lines, scenario)


def sentences() -> list[Sentence]:
    return [
        Sentence("achievement", (" She", " won", " the", " race"), (0.0, 2.0, 0.25, 1.0), 0.8),
        Sentence("failure", HOSTILE, (0.0, 0.5, 0.0, 0.1, 0.0, 0.0, 2.0, 0.0), 0.3),
    ]


def test_heat_says_the_exact_value_at_the_cursor() -> None:
    heatmap = Heatmap()

    async def scenario(pilot: Pilot[None]) -> None:
        heatmap.focus()
        heatmap.show(sentences(), 2.0)
        await pilot.pause()
        assert "token 2/4  won 2.000 · heat 8 of 8 · 100% of 2.000" in shown(pilot)[-1]
        await pilot.press("right")
        await pilot.pause()
        assert "token 3/4  the 0.250 · heat 1 of 8" in shown(pilot)[-1]

    host(heatmap, scenario, (90, 12))


def test_heat_levels_can_be_read_as_digits() -> None:
    heatmap = Heatmap()

    async def scenario(pilot: Pilot[None]) -> None:
        heatmap.focus()
        heatmap.show(sentences(), 2.0)
        await pilot.press("v")
        await pilot.pause()
        text = shown(pilot)
        assert text[0].endswith("She won the race")
        assert [sign for sign in text[1] if sign.strip()] == ["8", "1", "4"]
        assert text[1].index("8") == text[0].index("won")

    host(heatmap, scenario)


def test_hostile_tokens_stay_on_their_line() -> None:
    heatmap = Heatmap()

    async def scenario(pilot: Pilot[None]) -> None:
        heatmap.show(sentences(), 2.0)
        await pilot.pause()
        text = shown(pilot)
        assert "[bold]␛[2J⏎∅ a⇥b⟨202e⟩日本[/]" in "".join(line.strip() for line in text)
        assert all("\x1b" not in line for line in text)

    host(heatmap, scenario)


def test_zero_activations_are_unstyled_and_equal_neighbours_one_run() -> None:
    heatmap = Heatmap()

    async def scenario(pilot: Pilot[None]) -> None:
        heatmap.show([Sentence("x", ("a", "b", "c", "d"), (0.0, 0.0, 1.0, 1.0), 0.5)], 1.0)
        pilot.app.set_focus(None)
        await pilot.pause()
        strip = heatmap.render_line(0)
        runs = [segment.text for segment in strip if segment.style and segment.style.bgcolor]
        assert runs == ["cd"]

    host(heatmap, scenario)


def test_a_key_before_the_first_layout_moves_on_the_sentences() -> None:
    heatmap = Heatmap(id="unseen")
    heatmap.display = False  # as a pane that is not in front: it has no size

    async def scenario(_pilot: Pilot[None]) -> None:
        heatmap.show([Sentence("1", (" won",), (1.0,)), Sentence("2", (" lost",), (0.0,))], None)
        heatmap.action_move(1)
        assert heatmap.cursor == 1

    host(heatmap, scenario)
