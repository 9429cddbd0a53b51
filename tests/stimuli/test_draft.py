"""Drafting: templates give pairs that differ in one place; a language model is asked over real HTTP and recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest

from commands.render import as_lines
from commands.stimuli import WORD_LISTS, StimuliDraft
from tests import tiny
from workbench.errors import Cancelled, UnknownNameError, UsageError, WorkbenchError
from workbench.stimuli.proposing import KEY, make_client, propose
from workbench.stimuli.templates import BUILT_IN, draft_pairs, lexicon_slots, parse_template, read_slots, write_pair

SLOTS = {"who": ("cat", "dog", "sun", "moon"), "up": ("won", "rose"), "down": ("lost", "fell")}


def written(template: str, seed: int = 0) -> Any:
    return write_pair(parse_template(template, SLOTS), Random(seed))


def test_a_pair_differs_where_the_template_says_and_only_there() -> None:
    pair = written("the {who} <won|lost> a {race|match}")
    one, other = pair.texts
    assert (one[slice(*pair.spans[0])], other[slice(*pair.spans[1])]) == ("won", "lost")
    assert one.replace("won", "") == other.replace("lost", "")
    assert one.startswith("The ")


def test_a_slot_is_the_same_word_wherever_it_stands() -> None:
    for seed in range(8):
        one, other = written("{who} and {who} <{up}|{down}>", seed).texts
        first, _, second, _ = one.lower().split()
        assert first == second
        assert other.lower().startswith(f"{first} and {first} ")


def test_two_places_have_no_one_span_and_a_side_may_be_empty() -> None:
    assert written("<a|b> {who} <c|d>").spans == (None, None)
    pair = written("the {who} is<| not> here")
    assert pair.texts[0].split()[2:] == ["is", "here"]
    assert pair.spans[0] is None and pair.texts[1][slice(*pair.spans[1])] == " not"


def test_a_backslash_takes_a_sign_as_it_is() -> None:
    assert written(r"\{who\} \< <a|b> \\ \|").texts == ("{who} < a \\ |", "{who} < b \\ |")


@pytest.mark.parametrize(
    "template",
    ["no contrast", "{who", "who}", "<a|b", "<a>", "<a|b|c>", "a>", "{a<b}", "<a|<b>>", "<{who|b>", "<a}|b>", ""],
)
def test_a_broken_template_is_refused_with_its_text(template: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_template(template, SLOTS)
    assert repr(template) in caught.value.message
    assert caught.value.hint


def test_an_unfilled_slot_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'whoo'") as caught:
        parse_template("{whoo} <a|b>", SLOTS)
    assert "Did you mean who" in caught.value.hint
    assert "word lists: " + ", ".join(sorted(SLOTS)) in caught.value.hint


def test_the_help_lists_the_word_lists() -> None:
    assert ", ".join(sorted(lexicon_slots())) == WORD_LISTS
    assert WORD_LISTS in str(StimuliDraft.model_fields["slot"].description)


@pytest.mark.slow
def test_fewer_pairs_than_asked_for_are_kept_with_a_warning(loaded: Any) -> None:
    line = "stimuli.draft luck template='The {kin} <won|lost> the {race|exam}.' slot=kin=team,crew"
    reply = loaded(line)
    assert reply["result"]["categories"] == {"concept": 4, "other": 4}
    assert reply["result"]["spare"] == 0
    assert any("gave 4 different pairs of the 60 asked for" in said for said in reply["warnings"])
    sides = [row["category"] for row in reply["result"]["together"]]
    assert sides == ["concept", "other"] * 4
    shown = [line for line in as_lines(reply, 120) if "the race" in line or "the exam" in line]
    assert len(shown) >= 8
    assert ("won" in shown[0], "lost" in shown[1]) == (True, True)


def test_slots_are_read_and_bad_ones_refused() -> None:
    assert read_slots(["a=x, y,x", "b=z"]) == {"a": ("x", "y"), "b": ("z",)}
    for bad in ("a", "=x", "a=", "a b=x", "a=,"):
        with pytest.raises(UsageError, match="NAME=WORD"):
            read_slots([bad])


def test_drafts_repeat_no_sentence_and_the_seed_decides_them() -> None:
    found = draft_pairs(["{who} <{up}|{down}>"], SLOTS, 8, seed=1)
    texts = [text for pair in found for text in pair.texts]
    assert len(set(texts)) == 16
    assert found == draft_pairs(["{who} <{up}|{down}>"], SLOTS, 8, seed=1)
    assert found != draft_pairs(["{who} <{up}|{down}>"], SLOTS, 8, seed=2)
    assert len(draft_pairs(["{who} <won|lost>"], SLOTS, 9, seed=0)) == 4
    with pytest.raises(UsageError, match="gave 0"):
        draft_pairs(["{who} <won|won>"], SLOTS, 2, seed=0)


def test_the_built_in_templates_give_many_pairs() -> None:
    for templates in BUILT_IN.values():
        assert len(draft_pairs(templates, lexicon_slots(), 300, seed=0)) == 300


# --- a language model, over HTTP


class Service(HTTPServer):
    """Answers `POST /v1/messages` from a list, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(json.loads(body))
        self.server.keys.append(" ".join(self.headers.values()))
        status, answer = self.server.answers[min(len(self.server.asked), len(self.server.answers)) - 1]
        sent = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv(KEY, "secret-key-of-the-test")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def answer(pairs: Any, stop: str = "end_turn", text: str | None = None) -> tuple[int, dict[str, Any]]:
    written = json.dumps({"pairs": pairs}) if text is None else text
    return 200, {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test-1", "stop_reason": stop,
        "stop_sequence": None, "content": [{"type": "text", "text": written}],
        "usage": {"input_tokens": 100, "output_tokens": 40},
    }  # fmt: skip


def some(first: int, count: int) -> list[dict[str, str]]:
    return [{"concept": f"the cat won {n}", "other": f"the cat lost {n}"} for n in range(first, first + count)]


def ask(count: int) -> Any:
    return propose(make_client(), "claude-test", "winning", "losing", count, lambda *_: None)


def test_pairs_are_asked_for_until_there_are_enough(service: Service) -> None:
    service.answers = [
        answer(some(0, 30)),
        answer([*some(29, 3), {"concept": " ", "other": "x"}]),
        answer(some(50, 30)),
    ]
    found = ask(40)
    assert len(found.pairs) == 40
    assert found.refused == 2, "one repeats, one is empty"
    assert len(service.asked) == len(found.exchanges) == 3
    first = service.asked[0]
    assert first["model"] == "claude-test"
    assert '"winning"' in first["messages"][0]["content"]
    assert "the cat won 3" in service.asked[1]["messages"][0]["content"]
    assert first["output_config"]["format"]["type"] == "json_schema"
    assert all("secret-key-of-the-test" in headers for headers in service.keys)
    assert found.record["model"] == "claude-test-1"
    assert found.record["usage"] == {"input_tokens": 300, "output_tokens": 120}
    assert len(found.record["prompts"]) == 3 and len(set(found.record["prompts"])) == 3
    assert found.record["date"][:2] == "20"


def test_it_does_not_ask_for_ever(service: Service) -> None:
    service.answers = [answer(some(0, 1))]
    found = ask(10)
    assert (len(found.pairs), len(service.asked), found.refused) == (1, 2, 1)


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (answer([], stop="refusal"), WorkbenchError, "refused"),
        (answer([], text="Here are your pairs:"), WorkbenchError, "no list of pairs"),
        (answer([], text='{"pairs": [{"concept": "a"', stop="max_tokens"), WorkbenchError, "cut off"),
        (answer(7), WorkbenchError, "no list of pairs"),
        (answer(["a"]), WorkbenchError, "no list of pairs"),
        (answer([{"concept": "a"}]), WorkbenchError, "no list of pairs"),
        ((401, {"type": "error", "error": {"type": "authentication_error", "message": "x"}}), UsageError, "key"),
        ((404, {"type": "error", "error": {"type": "not_found_error", "message": "x"}}), UsageError, "'claude-test'"),
        ((400, {"type": "error", "error": {"type": "invalid_request_error", "message": "x"}}), WorkbenchError, "400"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said(service: Service, reply: Any, kind: type[WorkbenchError], says: str) -> None:
    service.answers = [reply]
    with pytest.raises(kind, match=says) as caught:
        ask(5)
    assert caught.value.hint
    assert "secret-key" not in str(caught.value)


def test_no_key_and_no_service(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    import anthropic

    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    client = anthropic.Anthropic(max_retries=0)
    with pytest.raises(WorkbenchError, match="cannot be reached"):
        propose(client, "claude-test", "a", "b", 2, lambda *_: None)
    monkeypatch.delenv(KEY)
    with pytest.raises(UsageError, match=KEY):
        make_client()


def test_cancel_stops_before_the_next_request(service: Service) -> None:
    service.answers = [answer(some(0, 1))]

    def cancel(*_: Any) -> None:
        if service.asked:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        propose(make_client(), "claude-test", "a", "b", 10, cancel)
    assert len(service.asked) == 1


@pytest.mark.slow
def test_a_draft_from_templates_is_a_checked_set(loaded: Any) -> None:
    slots = "slot=who=cat,dog,sun,moon slot=what=prize,game"
    line = f"stimuli.draft wins template='the {{who}} <won|lost> {{what}}' {slots} pairs=5 spare=3"
    reply = loaded(line)["result"]
    assert reply["categories"] == {"concept": 5, "other": 5}
    assert (reply["by"], reply["spare"], reply["proposal"]) == ("templates", 3, None)
    assert (reply["pairs"]["status"], reply["total"]) == ("complete", 16)
    assert reply["check"]["design"]["effect_paired"] > 0
    assert reply["rows"][0]["span"][1] - reply["rows"][0]["span"][0] == 3
    assert loaded("features.contrast wins permutations=50")["result"]["categories"] == {"positive": 5, "rest": 5}


@pytest.mark.slow
def test_a_confounded_set_of_pairs_offers_the_swap_that_removes_it(loaded: Any) -> None:
    pairs = [f"first='{n} won today' second='{n} lost'" for n in ("cat", "dog", "sun", "moon", "we", "they")]
    spare = [f"first='{n} rose' second='{n} fell again'" for n in ("ice", "gold", "bee", "tide")]
    loaded(f"stimuli.new odd {' '.join(pairs + spare)}")
    loaded("stimuli.edit odd pairs=order")
    out = " ".join(f"exclude='{n} rose' exclude='{n} fell again'" for n in ("ice", "gold", "bee", "tide"))
    loaded(f"stimuli.edit odd {out}")
    found = loaded("stimuli.check odd")["result"]
    assert found["swaps"] and all(len(swap["out"]) == 2 for swap in found["swaps"])
    assert any("--level" in told for told in found["warnings"])
    after = loaded("stimuli.edit odd level=words")["result"]
    assert after["categories"] == {"concept": 6, "other": 6}
    assert after["pairs"]["status"] == "complete"
    words = next(row for row in loaded("stimuli.check odd")["result"]["confounds"] if row["measure"] == "words")
    assert words["auc"] == 0.5


@pytest.mark.slow
def test_a_draft_from_a_language_model_is_recorded_and_never_asked_again(
    loaded: Any, sessions: Path, service: Service
) -> None:
    evil = "[red]the cat\u202e won"
    service.answers = [answer([{"concept": evil, "other": "the cat lost"}, *some(0, 4)])]
    reply = loaded("stimuli.draft wins concept=winning other=losing pairs=3 spare=2")
    assert reply["result"]["by"] == "claude-test-1"
    assert reply["result"]["rows"][0]["text"] == evil
    assert reply["provenance"]["language_model"]["usage"] == {"input_tokens": 100, "output_tokens": 40}
    assert any("read them" in told for told in reply["warnings"])
    kept = "".join(path.read_text("utf-8", errors="replace") for path in sessions.rglob("*") if path.is_file())
    assert "secret-key" not in kept
    (folder,) = [path.parent for path in sessions.rglob("proposal.json")]
    assert json.loads((folder / "proposal.json").read_text())[0]["reply"].startswith('{"pairs"')
    before = len(service.asked)
    replayed = loaded("replay s", None)["result"]
    assert len(service.asked) == before
    assert any("language model" in item["reason"] for item in replayed["recorded"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("stimuli.draft null concept=outcome", "already"),
        ("stimuli.draft x", "--concept"),
        ("stimuli.draft x by=templates concept=luck", "'luck'"),
        ("stimuli.draft x concept=outcome category=a", "two different"),
        ("stimuli.draft x concept=outcome category=a category=a", "two different"),
        ("stimuli.draft x template='a <b|c>'", "1 different pairs"),
        ("stimuli.draft x template='a <b'", "'a <b'"),
        ("stimuli.draft x concept=luck", KEY),
    ],
)
def test_a_refused_draft_leaves_the_session_as_it_was(
    loaded: Any, sessions: Path, monkeypatch: pytest.MonkeyPatch, line: str, says: str
) -> None:
    monkeypatch.delenv(KEY, raising=False)
    before = tiny.snapshot(sessions)
    with pytest.raises(UsageError) as caught:
        loaded(line)
    assert says in str(caught.value)
    assert tiny.snapshot(sessions) == before
