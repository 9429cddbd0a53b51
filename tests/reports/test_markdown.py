"""The Markdown report holds the same numbers, and no outside text becomes markup."""

from __future__ import annotations

import re
import unicodedata

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.reports.example import HOSTILE, SCRIPT, lab_of
from tests.reports.reading import Page
from workbench.reports import write_report
from workbench.reports.markdown import escape_markdown
from workbench.reports.text import visible
from workbench.session.record import SessionRecord

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *flat(token.children or []))]


@pytest.mark.parametrize(
    "text", [*HOSTILE, "- item", "+ item", "> quote", "12) x", "a_b_c", "www.x.invalid", "\\", "==="]
)
def test_escaped_text_reads_as_itself(text: str) -> None:
    tokens = flat(READER.parse(escape_markdown(text)))
    assert {token.type for token in tokens} <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    assert "".join(token.content for token in tokens if token.type.startswith("text")) == visible(text).strip()


def test_hostile_text_makes_no_markup(hostile: SessionRecord) -> None:
    text = write_report(hostile, lab_of(hostile), "md")
    kinds = {token.type for token in flat(READER.parse(text))}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "s_open", "fence"}
    assert not any(unicodedata.category(sign) in ("Cf", "Cs", "Zl", "Zp") for sign in text)
    assert all(sign == "\n" or unicodedata.category(sign) != "Cc" for sign in text)


def test_hostile_text_keeps_tables_whole(hostile: SessionRecord) -> None:
    text = write_report(hostile, lab_of(hostile), "md")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


def test_both_forms_have_the_same_sections_and_tables(record: SessionRecord) -> None:
    page = Page(write_report(record, lab_of(record), "html"))
    tokens = flat(READER.parse(write_report(record, lab_of(record), "md")))
    titles = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    shown = [escape_markdown(element.text) for element in page.all("h1", "h2", "h3", "h4")]
    assert titles == shown
    tables = [token for token in tokens if token.type == "table_open"]
    heatmaps = [element for element in page.all("figure") if element.attributes.get("class") == "tokens"]
    drawings = [element for element in page.drawings() if "points" not in element.text]
    assert len(tables) == len(page.all("table")) + len(heatmaps) + len(drawings)


def test_code_with_backticks_and_bars_stays_code(hostile: SessionRecord) -> None:
    tokens = flat(READER.parse(write_report(hostile, lab_of(hostile), "md")))
    assert any(SCRIPT in token.content for token in tokens if token.type == "code_inline")
