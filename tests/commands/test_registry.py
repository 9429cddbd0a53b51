"""Every verb is declared once and whole: docstring, handler, described fields, and a line that makes it again."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from commands import render
from commands.cli import _global_options
from commands.handlers import handler_of
from commands.line import format_line, from_params, is_list, parse_line
from commands.registry import ABOUT, VERBS, all_verbs, groups, in_group, lookup
from commands.shell.front import spec
from workbench.errors import UnknownNameError, UsageError
from workbench.verbs import Command, Query, Verb

verbs = pytest.mark.parametrize("verb", all_verbs(), ids=lambda verb: verb.dotted)
NOT_OURS = ("front", "engine")
"""Places whose verbs have no handler: the shell or the engine itself carries them out."""


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_goes_by_the_name_under_which_the_registry_has_it(name: str) -> None:
    assert lookup(name).dotted == name


def test_every_group_and_lone_verb_says_what_it_is_about() -> None:
    assert [*dict.fromkeys(name.partition(".")[0] for name in VERBS)] == list(ABOUT)
    assert all(in_group(group) for group in groups())


def test_one_module_holds_a_group() -> None:
    modules = {group: {VERBS[f"{group}.{verb}"].partition(".")[0] for verb in in_group(group)} for group in groups()}
    assert modules == {group: {group} for group in groups()}


@verbs
def test_a_verb_says_in_one_sentence_what_it_does(verb: type[Verb]) -> None:
    assert verb.__doc__ is not None
    assert re.fullmatch(r"[A-Z].{5,110}\.", verb.summary()), verb.summary()


@verbs
def test_a_verb_is_a_command_or_a_query(verb: type[Verb]) -> None:
    assert issubclass(verb, Command) != issubclass(verb, Query)
    assert verb.is_query() == issubclass(verb, Query)


@verbs
def test_a_verb_has_a_dotted_name_of_its_module(verb: type[Verb]) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z]+)?", verb.dotted)
    assert "dotted" in vars(verb)
    if "." in verb.dotted:
        assert verb.__module__ == f"commands.{verb.dotted.partition('.')[0]}"


@verbs
def test_a_verb_has_a_handler_that_says_what_it_does(verb: type[Verb]) -> None:
    if verb.place in NOT_OURS:
        return
    handler = handler_of(verb)
    assert inspect.getdoc(handler)
    assert len(inspect.signature(handler).parameters) == 2


@verbs
def test_fields_are_described(verb: type[Verb]) -> None:
    for name, field in verb.model_fields.items():
        assert field.description, name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


@verbs
def test_positional_names_are_fields_and_required_ones_come_first(verb: type[Verb]) -> None:
    assert set(verb.positional) <= set(verb.model_fields)
    required = [verb.model_fields[name].is_required() for name in verb.positional]
    assert required == sorted(required, reverse=True)
    lists = [is_list(verb.model_fields[name]) for name in verb.positional]
    assert not any(lists[:-1]), "a list takes all the words that follow"


@verbs
def test_no_field_hides_behind_a_global_option(verb: type[Verb]) -> None:
    options = set(vars(_global_options([])[0]))
    assert not options & set(verb.model_fields)


@verbs
def test_spec_knows_the_verb(verb: type[Verb]) -> None:
    told = spec()[verb.dotted]
    assert told["summary"] == verb.summary()
    assert told["kind"] == ("query" if verb.is_query() else "command")
    assert set(told["parameters"]["properties"]) == set(verb.model_fields)


@verbs
def test_a_verb_is_frozen_and_takes_no_other_field(verb: type[Verb]) -> None:
    assert verb.model_config["frozen"]
    assert verb.model_config["extra"] == "forbid"


texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["a b", "'", '"', "it's", "=", "a=b", "-x", "--top=3", "-", "[1, 2]", "[]", "[", '["a"]', "none", "null",
         "${X}", "# no comment", "\\", "a\nb", "\t", "ü😀", "\x00", "top=3", "text=x", "feature=1",
         "name=x", "ref=demo", "true"]
    ),
)  # fmt: skip


def values_of(name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    """Values that a field may have."""
    if field.annotation is bool:
        return st.booleans()
    if is_list(field):
        return st.lists(texts, max_size=3).map(tuple)
    kind = str(field.annotation)
    if "Literal" in kind:
        return st.sampled_from(field.annotation.__args__)
    if "float" in kind:
        return st.one_of(st.floats(-1e6, 1e6), st.floats(0.001, 0.999), st.integers(1, 20).map(float))
    if "int" in kind:
        return st.integers(0, 10**7)
    return texts


@st.composite
def any_verb(draw: st.DrawFn) -> Verb:
    verb = draw(st.sampled_from(all_verbs()))
    chosen = {}
    for name, field in verb.model_fields.items():
        if field.is_required() or draw(st.booleans()):
            chosen[name] = draw(values_of(name, field))
    try:
        return verb(**chosen)
    except ValueError:  # out of bounds: another test asks what happens then
        return verb(**{name: value for name, value in chosen.items() if verb.model_fields[name].is_required()})


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_a_line_makes_its_verb_again(data: st.DataObject) -> None:
    try:
        verb = data.draw(any_verb())
    except ValueError:
        return
    line = format_line(verb)
    assert parse_line(line) == verb, line
    assert format_line(parse_line(line)) == line


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_logged_parameters_make_the_verb_again(data: st.DataObject) -> None:
    try:
        verb = data.draw(any_verb())
    except ValueError:
        return
    assert from_params(type(verb), verb.params()) == verb


@pytest.mark.parametrize(
    ("line", "same_as"),
    [
        ("features.contrast achievement top=20", "features.contrast stimuli=achievement top=20"),
        ("features.contrast top=20 achievement", "features.contrast stimuli=achievement top=20"),
        ("session.note 'a b'", 'session.note text="a b"'),
        (
            "labels.suggest 1 2 3",
            'labels.suggest features=["1", "2", "3"]'.replace('["1", "2", "3"]', '\'["1","2","3"]\''),
        ),
        ("labels.suggest features=1 features=2 features=3", "labels.suggest 1 2 3"),
        ("replay demo max-seconds=5", "replay target=demo max_seconds=5"),
        ("features.list ranking=none", "features.list"),
        ("labels.set 3 ''", "labels.set feature=3 text="),
    ],
)
def test_forms_of_one_line(line: str, same_as: str) -> None:
    assert parse_line(line) == parse_line(same_as)


@pytest.mark.parametrize(
    ("line", "names", "hint"),
    [
        ("featurs.contrast x", "featurs.contrast", "features.contrast"),
        ("features.contrast x topp=3", "topp", "top"),
        ("features.contrast x top=many", "many", "integer"),
        ("features.contrast x top=0", "top", "1"),
        ("features.contrast x statistic=welhc", "welhc", "welch"),
        ("features.contrast", "stimuli", "stimuli"),
        ("features.contrast x y", "'y'", "stimuli"),
        ("steer.clamp 3 value=nan", "nan", "finite"),
        ("steer.clamp 3 value=inf", "inf", "finite"),
        ("features.tag 3 ''", "''", "a letter or digit"),
        ("model.load demo device=xcpu", "xcpu", "auto"),
        ("model.load demo device=cudas", "cudas", "auto"),
        ("session.note 'never closed", "never closed", "quotes"),
        ("", "empty", "verb"),
        ("   ", "empty", "verb"),
        ("session.note ''", "''", "character"),
    ],
)
def test_a_wrong_line_names_the_value_and_what_would_do(line: str, names: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    assert names in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


@given(st.text(max_size=30))
def test_any_text_is_a_verb_or_a_clear_error(text: str) -> None:
    try:
        parse_line(text)
    except UsageError as error:
        assert error.message


def test_looking_up_an_unknown_verb_gives_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown command 'session\.lst'") as caught:
        lookup("session.lst")
    assert "session.list" in caught.value.hint


@pytest.mark.parametrize("verb", all_verbs(), ids=lambda verb: verb.dotted)
def test_parameters_are_plain_json(verb: type[Verb]) -> None:
    import json

    needed = {
        name: 1 if "int" in str(field.annotation) else "x"
        for name, field in verb.model_fields.items()
        if field.is_required()
    }
    params = verb(**needed).params()
    assert json.loads(json.dumps(params, allow_nan=False)) == params
    assert set(params) == set(verb.model_fields)


@pytest.mark.parametrize("command", render._DRAWERS)
def test_what_draws_a_result_is_there_and_its_command_too(command: str) -> None:
    assert command in VERBS
    assert callable(render._drawer(command))


@verbs
def test_a_list_that_is_not_given_differs_from_an_empty_one_only_where_a_line_can_say_so(verb: type[Verb]) -> None:
    for name, field in verb.model_fields.items():
        if is_list(field) and not field.is_required() and field.default:
            assert any(getattr(rule, "min_length", 0) for rule in field.metadata), name


WITH_FEATURES = {
    "circle.patch", "clusters.export", "clusters.find", "clusters.import", "clusters.list", "clusters.planes",
    "clusters.point", "clusters.rank", "clusters.show", "features.activate", "features.common", "features.compare",
    "features.contrast", "features.diff", "features.export", "features.list", "features.map", "features.maxact",
    "features.neighbours", "features.probe", "features.rdm", "features.replicate", "features.rsa", "features.search",
    "features.show", "features.why", "index.build", "index.import", "labels.score", "labels.show", "labels.suggest",
    "sae.check", "steer.clamp",
}  # fmt: skip
"""Verbs whose numbers the loaded SAE's features carry; `sae.load` and `sae.train` judge their own."""


def test_the_gate_stands_beside_numbers_that_features_carry_and_no_others() -> None:
    found = {name for name in VERBS if lookup(name).model_construct(sae="").rests_on_features}
    assert found == WITH_FEATURES
