"""The HTML report is one harmless, accessible file."""

from __future__ import annotations

import base64
import unicodedata
from itertools import pairwise

from tests.reports.example import HOSTILE, IMAGE, SCRIPT, lab_of
from tests.reports.reading import Page
from workbench.figures import Figure
from workbench.reports import write_report
from workbench.reports.document import Chart, Document, Section
from workbench.reports.html import to_html
from workbench.reports.text import visible
from workbench.session.record import SessionRecord


def test_nothing_in_the_page_acts_or_loads(hostile_page: str) -> None:
    page = Page(hostile_page)
    assert not page.all("script", "img", "iframe", "link", "object", "embed", "form", "base", "b", "use", "image")
    for element in page.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset", "style", "action") for name in
                       element.attributes), element  # fmt: skip
        link = element.attributes.get("href", "#")
        assert link.startswith(("#", "data:text/csv;base64,", "data:text/plain;charset=utf-8;base64,")), link


def test_a_note_that_a_caption_holds_is_not_said_again() -> None:
    figure = Figure(kind="matrix", title="a map", note="30 cells tested", data={"rows": ["a"], "columns": ["b"],
                    "values": [[1.0]]})  # fmt: skip
    for caption, times in (("a map: 30 cells tested.", 1), ("a map", 1)):
        document = Document("t", "", (), (Section("s", "s", [Chart(figure, 1, caption)]),))
        shown = to_html(document).partition("<figcaption>")[2].partition("</figcaption>")[0]
        assert shown.count("30 cells tested") == times, caption


def test_policy_forbids_scripts_and_requests(page: str) -> None:
    policies = [e.attributes["content"] for e in Page(page).all("meta") if "http-equiv" in e.attributes]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; style-src 'sha256-")


def test_hostile_text_is_shown_as_text(hostile_page: str) -> None:
    text = Page(hostile_page).text
    for item in (SCRIPT, IMAGE, "]]>", "--></style><b>", "&amp;", "[x](javascript:alert(1))"):
        assert item in text
    assert SCRIPT not in hostile_page


def test_no_hidden_character_reaches_the_page(hostile_page: str) -> None:
    hidden = {sign for sign in hostile_page if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert hidden <= {"\n"}
    text = Page(hostile_page).text
    assert "⟨202e⟩gnp.exe" in text
    assert "nul⟨00⟩" in text
    assert "line⏎break" in text


def test_every_hostile_token_is_in_the_heatmaps(hostile_page: str) -> None:
    lines = "".join(element.text for element in Page(hostile_page).all("span") if "line" in element.attributes.values())
    for token in HOSTILE:
        assert visible(token).strip() in lines


def test_the_same_session_gives_the_same_page(record: SessionRecord) -> None:
    assert write_report(record, lab_of(record), "html") == write_report(record, lab_of(record), "html")


def test_tables_have_captions_and_scopes(page: str) -> None:
    found = Page(page)
    assert len(found.all("table")) == len(found.all("caption")) > 8
    assert all(element.attributes.get("scope") in ("row", "col") for element in found.all("th"))


def test_ids_are_unique_and_every_link_leads_somewhere(hostile_page: str) -> None:
    elements = Page(hostile_page).elements
    ids = [element.attributes["id"] for element in elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    targets = {e.attributes["href"][1:] for e in elements if e.attributes.get("href", "").startswith("#")}
    assert targets <= set(ids)
    named = {name for e in elements for name in e.attributes.get("aria-labelledby", "").split()}
    assert named <= set(ids)


def test_headings_descend_by_one_and_landmarks_are_there(page: str) -> None:
    found = Page(page)
    levels = [int(element.tag[1]) for element in found.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [len(found.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert found.all("html")[0].attributes["lang"] == "en"


def test_heat_is_told_by_value_and_not_by_colour_alone(page: str) -> None:
    marks = Page(page).all("mark")
    assert marks
    assert all(element.attributes["title"] for element in marks)
    lines = [element for element in Page(page).all("span") if element.attributes.get("class") == "line"]
    numbers = [element for element in Page(page).all("span") if element.attributes.get("class") == "value"]
    assert len(numbers) == len(lines)


def test_figures_carry_their_data(page: str) -> None:
    links = [e.attributes["href"] for e in Page(page).all("a") if "download" in e.attributes]
    tables = [base64.b64decode(link.partition(",")[2]).decode() for link in links]
    assert any(text.startswith("name,effect,minus log10 q,group\r\n#0,2.25,6.0,discovery") for text in tables)


def test_the_page_is_small(hostile_page: str) -> None:
    assert len(hostile_page.encode()) < 1_000_000
