"""Where a replay reads models, SAEs and texts that are not where the log has them: where it is told, or by content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.digests import file_digest, folder_digest
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError, WorkbenchError
from workbench.lab import Lab
from workbench.models import reference as references
from workbench.models.reference import StandIn
from workbench.session import SessionRecord
from workbench.session.layout import LOG_NAME
from workbench.session.log import LogLine, read_log
from workbench.uploads import splits

MODEL, SAE, SOURCE = "model", "SAE", "source"
"""What may lie elsewhere; a source is a file, or a folder of them, that a command names by its path: of text mostly."""
LOCAL = "sha256:"
"""How the digest of files begins; a model of the hub has its commit, and is found by its name everywhere."""
SHOWN = 19
"""Characters of a digest in a sentence."""
SHIPPED = ("demo", "minilm")


@dataclass(frozen=True)
class Recorded:
    """A model, an SAE or a source as a log line has it.

    Attributes:
        kind: `model`, `SAE` or `source`.
        ref: the folder or file, or the name of an SAE that was trained where the line was written.
        digest: that of its files.
        name: what results call it.
    """

    kind: str
    ref: str
    digest: str
    name: str


def recorded(line: LogLine) -> list[Recorded]:
    """The models and SAEs of folders that a line chose, and what else it read by a path."""
    found = []
    for entry, value in line.sets.items():
        if entry in ("model", "sae") and isinstance(value, dict):
            found.append(_of_entry(MODEL if entry == "model" else SAE, value))
        elif isinstance(value, dict) and isinstance(value.get("models"), list):  # losses are of several models
            found += [_of_entry(MODEL, one) for one in value["models"] if isinstance(one, dict)]
    second = line.provenance.get("second_features")  # those that a ranking is repeated on
    if isinstance(second, dict):
        found.append(_of_entry(SAE, {**second, "digest": second.get("digest") or ""}))
    found += _sources(line)
    return [one for one in found if one.ref and one.digest.startswith(LOCAL)]


def _of_entry(kind: str, entry: dict[str, Any]) -> Recorded:
    ref, digest, name = (str(entry.get(key, "")) for key in ("ref", "digest", "name"))
    if kind == SAE:
        name = name.rpartition("/")[2]  # MODEL/SITE/NAME
    return Recorded(kind, ref, digest, name.removesuffix(f"@{digest.removeprefix(LOCAL)[:8]}"))


def _sources(line: LogLine) -> Iterator[Recorded]:
    """The file or folder that a line's corpus came from; a corpus by its name has a digest of its own kind."""
    for key in ("corpus", "tokens"):
        told = line.provenance.get(key)
        if not isinstance(told, dict):
            continue
        ref, digest = str(told.get("ref") or told.get("source") or ""), told.get("digest")
        if line.do == "corpus.import":
            digest = told.get("source_digest")  # the other one is that of the tokens that were made of it
        if ref.startswith(("/", "~")):
            yield Recorded(SOURCE, ref, str(digest or ""), Path(ref).stem)


class Places:
    """The stand-ins of one replay; lines are looked at in their order, since a reference may come to mean other files.

    Args:
        record: the session that is replayed.
        given: `RECORDED=FOLDER`, as the user says where something lies.
        lab: the world of the replay.
        again: the home in which the replay keeps what it makes.

    Attributes:
        models, saes: stand-ins by reference, as the cache of models takes them.
        sources: where files and folders lie, by the path that the log has.
        used: what was read elsewhere, for the result.
        missing: what is not here, with the line that chose it first.

    Raises:
        UsageError: a pair that names nothing of the session, or nothing here.
        MismatchError: what lies there is not what was recorded.
    """

    def __init__(self, record: SessionRecord, given: tuple[str, ...], lab: Lab, again: Path) -> None:
        self.models: dict[str, StandIn] = {}
        self.saes: dict[str, StandIn] = {}
        self.sources: dict[str, Path] = {}
        self.used: list[dict[str, str]] = []
        self.missing: dict[Recorded, LogLine] = {}
        self._record = record
        self._lab = lab
        self._again = again
        self._digests: dict[tuple[str, Path], str] = {}
        self._found: dict[Recorded, Path | None] = {}
        self._given: dict[Recorded, Path] = {}
        for pair in given:
            self._given |= self._checked(pair)

    def settle(self, line: LogLine) -> None:
        """Say where the models, SAEs and sources are read that this line chose."""
        for one in recorded(line):
            if one not in self._found:
                self._found[one] = self._look_for(one, line)
            if one.kind == SOURCE:
                _put(self.sources, one.ref, self._found[one])
                continue
            found = self._found[one]
            stand_in = None if found is None else StandIn(found, one.name)
            _put(self.models if one.kind == MODEL else self.saes, one.ref, stand_in)

    def _look_for(self, one: Recorded, line: LogLine) -> Path | None:
        """Another folder with these files, or None where the recorded one has them or there is none."""
        if one in self._given:
            return self._use(one, self._given[one], "--at")
        if self._digest(one.kind, _own_folder(one.kind, one.ref)) == one.digest:
            return None
        for folder, how in self._known(one):
            if self._digest(one.kind, folder) == one.digest:
                return self._use(one, folder, how)
        self.missing[one] = line
        return None

    def _use(self, one: Recorded, folder: Path, how: str) -> Path:
        told = {"what": one.kind, "recorded": one.ref, "here": str(folder), "digest": one.digest, "found": how}
        self.used.append(told)
        return folder

    def _known(self, one: Recorded) -> Iterator[tuple[Path, str]]:
        """Places that this home knows and that may hold it; the disk is not searched."""
        for home, how in ((self._again, "trained again"), (self._lab.home, "trained here")):
            if one.kind == SAE and one.name:
                yield from ((path, how) for path in sorted((home / "saes").glob("[!.]*")) if _named(path, one.name))
        shipped = None if one.kind == SOURCE else _own_folder(one.kind, "demo")
        if shipped is not None:
            yield shipped, "comes with the workbench"
        yield from self._in_sessions(one)
        if (cached := _in_hub_cache(one.ref)) is not None:
            yield cached, "in the Hugging Face cache"

    def _in_sessions(self, one: Recorded) -> Iterator[tuple[Path, str]]:
        """Places from which sessions here read these very files."""
        folders = dict.fromkeys((self._lab.sessions, self._lab.home / "sessions"))
        for log in (path for folder in folders for path in sorted(folder.glob(f"*/{LOG_NAME}"))):
            try:
                if one.digest.encode() not in log.read_bytes():
                    continue
                lines = read_log(log.parent)
            except (OSError, WorkbenchError):
                continue  # another session's damage is not this one's
            same = (other for line in lines for other in recorded(line) if other.digest == one.digest)
            for ref in dict.fromkeys(other.ref for other in same if other.kind == one.kind and other.ref != one.ref):
                folder = _own_folder(one.kind, ref)
                if folder is not None:
                    yield folder, f"session {log.parent.name!r} names it"

    def _checked(self, pair: str) -> dict[Recorded, Path]:
        """What a pair puts elsewhere: one thing, or all below a folder that are below the other one too."""
        named = dict.fromkeys(one for line in self._record.lines for one in recorded(line))
        for left, right in splits(pair):
            meant = [one for one in named if _below(one.ref, left) is not None]
            if meant:
                return self._matched(meant, left, Path(right).expanduser())
        if "=" not in pair:
            raise UsageError(
                f"--at {pair!r} is no pair", "Write RECORDED=FOLDER, as in --at /home/a/model=/data/model."
            )
        refs = ", ".join(one.ref for one in named) or "none"
        raise UnknownNameError(
            f"session {self._record.name!r} has no model, no SAE and no source at {splits(pair)[0][0]!r}",
            f"It has, with a digest: {refs}.",
        )

    def _matched(self, meant: list[Recorded], left: str, folder: Path) -> dict[Recorded, Path]:
        if not folder.exists():
            raise InputFileError(
                f"there is no folder and no file {str(folder)!r}", "Say where it lies: --at RECORDED=HERE."
            )
        found, other = {}, []
        for one in meant:
            here = (folder / (_below(one.ref, left) or "")).resolve()
            digest = self._digest(one.kind, here)
            if digest == one.digest:
                found[one] = here
            elif digest or one.ref.rstrip("/") == left.rstrip("/"):
                what = f"has {digest[:SHOWN]}" if digest else f"holds no {one.kind}"
                other.append(f"the {one.kind} {one.ref!r} was {one.digest[:SHOWN]} when it was recorded, {here} {what}")
        settled = {(one.kind, one.ref) for one in found}
        apart = {(one.kind, one.ref) for one in meant} - settled
        if other and (apart or not found):
            raise MismatchError(f"these are other files: {'; '.join(other)}", "Get the files that the session has.")
        if not found:
            raise MismatchError(f"{folder} has nothing of what the session has below {left}", "Name the folder itself.")
        return found

    def _digest(self, kind: str, folder: Path | None) -> str:
        """The digest of what holds such a thing, or an empty text: others are never read through."""
        if folder is None or not _holds(kind, folder):
            return ""
        if (kind, folder) not in self._digests:
            try:
                self._digests[kind, folder] = _source_digest(folder) if kind == SOURCE else folder_digest(folder)
            except (OSError, WorkbenchError):
                self._digests[kind, folder] = ""
        return self._digests[kind, folder]


def _put(places: dict[str, Any], ref: str, here: Path | StandIn | None) -> None:
    if here is None:
        places.pop(ref, None)
    else:
        places[ref] = here


def _source_digest(path: Path) -> str:
    """As `corpus import` records it: of a file's bytes, or of a folder's texts."""
    from workbench.corpus.readers import Reading

    return file_digest(path) if path.is_file() else Reading(str(path)).source_digest


def _below(ref: str, folder: str) -> str | None:
    """The path of `ref` below `folder`, an empty text where they are the same, None where it is not below."""
    ref, folder = ref.rstrip("/"), folder.rstrip("/")
    if ref == folder:
        return ""
    return ref.removeprefix(f"{folder}/") if folder and ref.startswith(f"{folder}/") else None


def _own_folder(kind: str, ref: str) -> Path | None:
    """Where the files of a reference lie by itself, or None."""
    try:
        if kind == MODEL:
            return references.resolve(ref).folder
        if kind == SOURCE:
            here = Path(ref).expanduser()
            return here.resolve() if here.exists() else None
        from workbench.saes.space import local_folder

        folder = local_folder(ref)
        return folder.resolve() if folder.is_dir() else None
    except (WorkbenchError, OSError, ValueError):
        return None  # a log may name anything


def _holds(kind: str, folder: Path) -> bool:
    from workbench.saes.formats.recognise import FORMATS

    try:
        if kind == MODEL:
            return references.checked(folder).is_dir()
        if kind == SOURCE:
            return folder.exists()
        return any(all((folder / name).is_file() for name in form.FILES) for form in FORMATS)
    except (WorkbenchError, OSError):
        return False


def _named(folder: Path, name: str) -> bool:
    """Whether an SAE that was trained here has that name, or that name with a digest behind it."""
    return folder.is_dir() and (folder.name == name or folder.name.startswith(f"{name}-"))


def _in_hub_cache(ref: str) -> Path | None:
    """The place in this machine's cache of a snapshot that was named by its place in another one."""
    from huggingface_hub import constants

    repository, snapshots, commit = ("", "", "", *Path(ref).parts)[-3:]
    if not repository.startswith("models--") or snapshots != "snapshots" or commit in ("", ".", ".."):
        return None
    folder = Path(constants.HF_HUB_CACHE) / repository / snapshots / commit
    return folder if folder.is_dir() else None
