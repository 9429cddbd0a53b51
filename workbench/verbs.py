"""The base of every verb: a frozen, typed value with a dotted name, from which all front ends are made.

Two kinds, told apart by type. A `Command` changes the investigation: it is logged, replayable, and its
result is an artifact. A `Query` reads, or writes only outside the session, and is never logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from workbench.figures import Figure

Place = Literal["child", "broker", "engine", "front"]
"""Who carries a verb out: the process with the model, the broker from files alone, the engine about
itself, or the front end, which issues other verbs."""


@dataclass(frozen=True)
class Upload:
    """Marks a field that names a file of the user's: front ends send its content along."""


@dataclass(frozen=True)
class Output:
    """Marks a field that names a file to write: front ends make the path absolute."""


@dataclass(frozen=True)
class Folder:
    """Marks a field that may name a folder: front ends make the path of one that exists absolute."""


@dataclass(frozen=True)
class File:
    """Marks a field that may name a file that is read where it lies: front ends make the path of one absolute."""


@dataclass(frozen=True)
class InItsPlace:
    """Marks a list of NAME=HERE: front ends make the path of a folder or file HERE that exists absolute."""


@dataclass(frozen=True)
class Sent:
    """Marks a field whose file or folder, where it is here, is sent to an engine on another machine."""


InputFile = Annotated[str, Upload()]
OutputFile = Annotated[str, Output()]
NameOrFolder = Annotated[str, Folder()]
NamesOrFolders = Annotated[tuple[str, ...], Folder()]
NameOrFile = Annotated[str, File()]
FoldersInPlace = Annotated[tuple[str, ...], InItsPlace()]
SentFile = Annotated[str, File(), Sent()]


class Verb(BaseModel):
    """What every command and query has; never used itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

    dotted: ClassVar[str] = ""
    """The verb's name, such as `features.contrast`."""
    place: ClassVar[Place] = "broker"
    positional: ClassVar[tuple[str, ...]] = ()
    """Fields that the shell takes without a flag, in this order."""
    too_many: ClassVar[str] = ""
    """What the hint says first to one word too many, where people take the verb for another one."""
    zero_is_unset: ClassVar[tuple[str, ...]] = ()
    """Fields whose 0 stands for `not given`: a typed 0 is refused, since it would be taken as their default."""
    reads: ClassVar[tuple[str, ...]] = ()
    """Prefixes of the state entries the result depends on; part of the key under which a command's is reused."""
    sessionless: ClassVar[bool] = False
    """True for verbs that are about no one session; front ends name none for them."""
    heavy: ClassVar[bool] = False
    """True for verbs that may run for minutes; they appear on the Jobs screen and can be detached."""

    def params(self) -> dict[str, Any]:
        """The fields as plain JSON values, defaults included, so that a log line explains itself."""
        return self.model_dump(mode="json")

    @property
    def changes_session(self) -> bool:
        """Whether the verb is logged in the session it is issued in; a dry run is not."""
        return False

    @property
    def rests_on_features(self) -> bool:
        """Whether the loaded SAE's features carry its numbers, so that the sanity gate's verdict stands beside them."""
        return "sae" in self.reads and getattr(self, "sae", "") == ""

    @property
    def carried_out_in(self) -> Place:
        """Who carries this one out: `place`, unless its parameters say otherwise."""
        return self.place

    @classmethod
    def is_query(cls) -> bool:
        """Whether the verb only reads, and is never logged."""
        return issubclass(cls, Query)

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring: one sentence for help, the command list and the reference."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    @classmethod
    def explanation(cls) -> str:
        """What the docstring says beyond its first line, for the end of the verb's help."""
        return " ".join((cls.__doc__ or "").strip().partition("\n")[2].split())


class Command(Verb):
    """A verb that changes the investigation."""

    place: ClassVar[Place] = "child"
    result_revision: ClassVar[int] = 1
    """Raised when the same parameters give other numbers on purpose."""
    makes_session: ClassVar[bool] = False
    """True for verbs that make a new session; their handler logs them there, not in the current one."""
    reuse: ClassVar[bool] = True
    """Whether a repeated key may take the stored result instead of computing it again."""
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {}
    """Relative and absolute tolerance of a result field in a replay, by field name; see session/replay.py."""
    loose_arrays: ClassVar[tuple[str, ...]] = ()
    """Stored arrays of which a replay compares only the totals."""

    @property
    def changes_session(self) -> bool:
        """True, but for a verb that makes a session of its own, or is only to say what it would cost (`dry_run`)."""
        return not self.makes_session and not getattr(self, "dry_run", False)


class Query(Verb):
    """A verb that reads."""


@dataclass
class Outcome:
    """What a handler gives back; arrays were already written to the artifact by `Lab.save`."""

    result: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)
    sets: dict[str, Any] = field(default_factory=dict)
    """State entries this command makes, for example {"stimuli/achievement": {...}}."""
    withdraws: list[int] = field(default_factory=list)
    """Log lines this command takes back (`session undo`)."""
    warnings: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    """What the number rests on beyond model, SAE, seed and version, which are added by the session."""
