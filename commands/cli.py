"""The shell front end: `workbench GROUP VERB`, made from the registry.

stdout is data, stderr is narration. Exit codes: 0 done, 1 the work failed, 2 wrong usage or bad input,
3 engine unreachable, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

# Looking for pydantic plugins costs 7 ms of every shell call, and none is used.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from commands.line import build, choices, is_flag, is_list, pairs_of
from commands.registry import VERBS, all_verbs, groups, in_group, lookup
from commands.shell import overview
from commands.shell.terminal import speak_any_encoding, visible_lines
from workbench import __version__
from workbench.errors import UnknownNameError, UsageError, WorkbenchError
from workbench.verbs import Verb


class _Parser(argparse.ArgumentParser):
    """argparse with our errors."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"See `{self.prog} --help`.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one shell call and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    speak_any_encoding(sys.stdout, sys.stderr)
    try:
        code = _run(words)
        sys.stdout.flush()
    except WorkbenchError as error:
        return _report_error(error, as_json)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        _reader_left()
        return 0
    return code


def _reader_left() -> None:
    """The reader of stdout is gone (`| head`): nothing to say, and nowhere to say it."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - keeps the interpreter's own flush quiet


def _report_error(error: WorkbenchError, as_json: bool) -> int:
    if as_json:
        try:
            sys.stdout.write(json.dumps({"error": error.as_dict()}) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            _reader_left()
    else:
        sys.stderr.write(f"error: {visible_lines(str(error))}\n")
    return error.exit_code


def _run(words: list[str]) -> int:
    options, rest = _global_options(words)
    if rest and rest[0] == "engine" and options.stdio:
        from commands.shell.connect import pipe_stdio

        return pipe_stdio()
    if options.version:
        sys.stdout.write(f"workbench {__version__}\n")
        return 0
    if not rest:
        if options.help:
            sys.stdout.write(overview.of_all())
            return 0
        return _open_app(options)
    if options.help and rest[0] in groups() and len(rest) == 1:
        sys.stdout.write(overview.of_group(rest[0]))
        return 0
    verb_type, arguments = find_verb(rest)
    if options.help:
        sys.stdout.write(_verb_parser(verb_type).format_help())
        return 0
    verb = parse_verb(verb_type, arguments)
    return _do(verb, options)


def _do(verb: Verb, options: argparse.Namespace) -> int:
    from commands.shell.execute import Executor, JsonProgress, clear_progress, shell_progress

    executor = Executor.default(options.session, options.sessions)
    executor.in_process, executor.fresh = options.no_engine, options.fresh
    if options.host:
        executor.move_to(options.host, options.sessions)
    if not options.quiet:
        executor.progress = (
            JsonProgress() if options.json and verb.heavy else None if options.json else shell_progress()
        )
    if verb.place == "front":
        from commands.shell.front import carry_out

        return carry_out(verb, executor, as_json=options.json, quiet=options.quiet)
    try:
        reply = executor.do(verb)
    finally:
        if executor.progress is not None and not options.json:
            clear_progress()
    show_reply(reply, as_json=options.json, quiet=options.quiet)
    differs = reply["command"] == "replay" and not reply["result"]["equal"]
    return 1 if differs else 0


def show_reply(reply: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    """Print a reply: one JSON object, or tables."""
    if not quiet:
        for warning in reply.get("warnings", ()):
            sys.stderr.write(f"warning: {visible_lines(warning)}\n")
        if reply.get("reused"):
            sys.stderr.write(f"the stored result of line {reply['reused']} (--fresh computes again)\n")
        if reply["command"] in ("session.new", "session.fork", "session.import"):
            name = reply["result"]["session"]
            sys.stderr.write(f"commands without --session now work in {name!r}, the session changed last\n")
    if as_json:
        reply = {key: value for key, value in reply.items() if key != "figures"}
        sys.stdout.write(json.dumps(reply, ensure_ascii=True) + "\n")
        return
    from commands.render import render

    render(reply, warned=not quiet)


def _open_app(options: argparse.Namespace) -> int:
    from commands.shell.connect import open_app

    return open_app(options.session, options.sessions, options.host or "")


def _global_options(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = _Parser("workbench", add_help=False, allow_abbrev=False)
    parser.add_argument("--session", metavar="NAME", default=os.environ.get("WORKBENCH_SESSION"))
    parser.add_argument("--sessions", metavar="DIR")
    parser.add_argument("--host", metavar="USER@BOX[:PATH]")
    for flag in ("--no-engine", "--json", "--quiet", "--fresh", "--version", "--stdio"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    return parser.parse_known_args(words)


def find_verb(words: list[str]) -> tuple[type[Verb], list[str]]:
    """The verb that the first one or two words name, and the words after it.

    Raises:
        UnknownNameError: no verb of that name, with the nearest ones.
    """
    for many in (1, 2):
        if ".".join(words[:many]) in VERBS:
            return lookup(".".join(words[:many])), words[many:]
    if words[0].startswith("-"):
        raise UsageError(f"unknown option {words[0]!r}", "See `workbench --help`.")
    if words[0] in groups() and len(words) == 1:
        hint = f"Known: {', '.join(in_group(words[0]))}. See `workbench {words[0]} --help`."
        raise UsageError(f"`workbench {words[0]}` needs a verb", hint)
    if words[0] in groups():
        raise UnknownNameError.among(f"verb of {words[0]}", words[1], in_group(words[0]))
    raise UnknownNameError.among("command", words[0], [*groups(), *VERBS], "See `workbench --help`.")


def parse_verb(verb: type[Verb], words: list[str]) -> Verb:
    """The verb with its shell arguments.

    Raises:
        UsageError: an unknown, missing or unfit argument.
    """
    parser = _verb_parser(verb)
    found, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        raise _unknown_option(verb, unknown[0].partition("=")[0])
    given = vars(found)
    loose = given.pop("words") or []
    values = {name: value if isinstance(value, list) else [value] for name, value in given.items() if value is not None}
    for name, value in pairs_of(verb, loose, taken=values).items():
        if name in values and not is_list(verb.model_fields[name]):
            raise UsageError(f"{name} is given twice ({values[name][0]!r} and {value[0]!r})", "Give it once.")
        values[name] = [*values.get(name, []), *value]
    flags = {name: value[0] for name, value in values.items() if is_flag(verb.model_fields[name])}
    return build(verb, {**values, **flags})


def _unknown_option(verb: type[Verb], option: str) -> UsageError:
    """The error of an option that this verb has not, with the nearest ones, and the verbs that have it."""
    name = option.lstrip("-").replace("-", "_")
    others = [other.dotted.replace(".", " ") for other in all_verbs() if name in other.model_fields]
    elsewhere = f"It is an option of `{'`, `'.join(others[:3])}`. " if others else ""
    spoken = verb.dotted.replace(".", " ")
    known = ["--" + field.replace("_", "-") for field in verb.model_fields]
    found = UnknownNameError.among(f"option of {spoken}", option, known, f"{elsewhere}See `workbench {spoken} --help`.")
    return UsageError(found.message, found.hint)  # wrong usage as any other that the parser finds


def _verb_parser(verb: type[Verb]) -> argparse.ArgumentParser:
    name = f"workbench {verb.dotted.replace('.', ' ')}"
    places = " ".join(f"[{field.upper()}]" for field in verb.positional)
    parser = _Parser(
        name,
        usage=f"{name} {places} [options]",
        description=verb.summary(),
        epilog=verb.explanation(),
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    for field_name, field in verb.model_fields.items():
        text = (field.description or "").replace("%", "%%")
        if not field.is_required() and field.default not in ("", (), None, False):
            told = ", ".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
            text += f" (default: {told})"
        flag = "--" + field_name.replace("_", "-")
        if is_flag(field):
            parser.add_argument(flag, dest=field_name, action=argparse.BooleanOptionalAction, default=None, help=text)
        else:
            action = "append" if is_list(field) else "store"
            shown = "|".join(choices(field)) or field_name.upper()
            parser.add_argument(flag, dest=field_name, action=action, default=None, help=text, metavar=shown)
    return parser


if __name__ == "__main__":
    sys.exit(main())
