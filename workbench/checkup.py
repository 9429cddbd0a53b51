"""What this installation has and what is missing: packages, shipped files, folders, tools. Imports nothing heavy."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from workbench import __version__, demo
from workbench.engine.address import engine_address
from workbench.engine.spawn import connect
from workbench.errors import EngineUnreachable, WorkbenchError
from workbench.session.record import SessionRecord

State = Literal["ok", "missing", "broken", "optional"]
DISTRIBUTION = "feature-workbench"
ROOM = 2 * 1024**3
"""Bytes of free disk below which indices and activation sets soon fail."""
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
"""Endings of files of which a folder with a model or an SAE has one."""
CARD = ("name", "memory.total", "memory.free", "driver_version")
"""What is asked of a GPU."""
MOST_MODELS = 8
"""Models of the hub's cache that are named."""
SLOW_ESCAPE = 50
"""Milliseconds of tmux's escape-time above which esc feels dead."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        state: `ok`; `missing` or `broken` where something will not work; `optional` where only an extra is absent.
        found: what is there.
        mend: what to do, "" where nothing need be done.
    """

    name: str
    state: State
    found: str
    mend: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The form of a reply."""
        return asdict(self)


def checkup(home: Path, sessions: Path) -> list[Check]:
    """Look at everything, in the order in which a reader needs it."""
    return [
        Check("workbench", "ok", __version__),
        Check("python", "ok", f"{platform.python_version()} ({platform.system()} {platform.machine()})"),
        machine(),
        *packages(),
        *shipped_files(),
        *(folder(name, path) for name, path in (("cache folder", home), ("sessions folder", sessions))),
        hub_cache(),
        engine(),
        *tools(),
    ]


def machine() -> Check:
    """Which machine this is: over --host, it is not the one in front of the reader."""
    try:
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GiB of memory"
    except (ValueError, OSError):
        memory = ""  # a system that does not tell
    return Check("machine", "ok", f"{platform.node() or 'unnamed'}, {os.cpu_count()} cores{memory}")


def hub_cache() -> Check:
    """Which models of the hub are on this machine, and can be loaded without a network."""
    place = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or _cache() / "huggingface") / "hub"
    folder = Path(place).expanduser()
    try:
        found = sorted(path.name.removeprefix("models--").replace("--", "/") for path in folder.glob("models--*"))
    except OSError as error:
        return Check("hub cache", "optional", f"{folder} cannot be read ({error.strerror})", "Check its permissions.")
    more = f" and {len(found) - MOST_MODELS} more" if found[MOST_MODELS:] else ""
    return Check("hub cache", "ok", f"{', '.join(found[:MOST_MODELS]) or 'no model yet'}{more}, in {folder}")


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def packages() -> Iterator[Check]:
    """Every package the workbench needs, its version against the bounds; those of extras are optional."""
    from packaging.requirements import Requirement

    try:
        needed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield Check("packages", "broken", f"{DISTRIBUTION} itself is not installed", "Install it: `pip install -e .`")
        return
    for text in needed:
        requirement = Requirement(text)
        extra = requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})
        if extra and not requirement.marker.evaluate({"extra": "minilm"}):  # type: ignore[union-attr]
            continue
        yield _package(requirement.name, str(requirement.specifier), requirement.specifier, extra)


def _package(name: str, bounds: str, specifier: Any, extra: bool) -> Check:
    install = f"`pip install '{name}{bounds}'`"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, "optional" if extra else "missing", "not installed", install)
    fits = specifier.contains(version, prereleases=True)
    if not fits:
        return Check(name, "broken", f"{version}, needs {bounds}", install)
    return Check(name, "ok", version)


def shipped_files() -> Iterator[Check]:
    """The model and the SAE that come with the workbench, file by file against their digests."""
    listed = json.loads((demo.HERE / "manifest.json").read_text("utf-8"))["files"]
    for part in ("model", "sae"):
        wanted = {name: digest for name, digest in listed.items() if name.startswith(f"{part}/")}
        wrong = [name for name, digest in wanted.items() if _digest(demo.HERE / name) != digest]
        if wrong:
            found = f"{', '.join(wrong)} changed or missing"
            yield Check(f"demo {part}", "broken", found, "Install the workbench again.")
        else:
            weights = next(name for name in wanted if name.endswith(".safetensors"))
            yield Check(f"demo {part}", "ok", f"{len(wanted)} files as shipped, weights sha256:{wanted[weights][:12]}")


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def folder(name: str, path: Path) -> Check:
    """Whether a folder can be written, and how much room its disk has; it need not exist yet."""
    there = next(part for part in (path, *path.parents) if part.exists())
    if not os.access(there, os.W_OK):
        mend = "Make it writable, or set WORKBENCH_HOME (the cache) or --sessions (sessions) to another folder."
        return Check(name, "broken", f"{path} cannot be written", mend)
    free = shutil.disk_usage(there).free
    found = f"{path}, {free / 1024**3:.1f} GiB free"
    if free < ROOM:
        return Check(name, "broken", found, "Free some space: indices and activation sets will not fit.")
    return Check(name, "ok", found)


def engine() -> Check:
    """Whether an engine runs or could: its folder is private, and what lies at its address answers or is stale."""
    try:
        address = engine_address()
        link = connect(address)
    except EngineUnreachable as error:
        return Check("engine", "broken", error.message, error.hint)
    if link is not None:
        link.close()
        return Check("engine", "ok", f"runs ({address.socket.name})")
    if address.socket.exists():
        return Check("engine", "ok", "none runs; one was killed and left its socket, which the next one replaces")
    return Check("engine", "ok", "none runs; the first command that needs one starts it")


def referenced(session: Path) -> Iterator[Check]:
    """The folders from which a session loaded its model and its SAE: whether they and the weights are still there."""
    try:
        record = SessionRecord(session)
    except WorkbenchError as error:
        yield Check(f"session {session.name}", "broken", error.message, error.hint)
        return
    for part, again in (("model", "model load"), ("sae", "sae load")):
        ref = str((record.state.get(part) or {}).get("ref", ""))
        place = Path(ref)
        if not place.is_absolute():
            continue  # shipped, or of a hub
        name = f"{part} of {record.name}"
        mend = f"Put it back, or load another: `workbench {again} FOLDER`. What is stored can be read without it."
        if not place.is_dir():
            yield Check(name, "broken", f"{ref} is not there any more", mend)
        elif not any(path.suffix in WEIGHTS for path in place.iterdir()):
            yield Check(name, "broken", f"{ref} has no weights ({', '.join(WEIGHTS)})", mend)
        else:
            yield Check(name, "ok", ref)


def tools() -> Iterator[Check]:
    """Programs and settings that some verbs use."""
    for program, use, mend in (
        ("tmux", "runs the app over a lost connection", "Install tmux, or go without: jobs can be detached."),
        ("ssh", "reaches a remote engine (--host)", "Install an ssh client to use --host."),
        ("nvidia-smi", "an NVIDIA GPU", "None is needed; models run on the CPU."),
    ):
        path = shutil.which(program)
        yield Check(program, "ok" if path else "optional", path or f"not found: {use}", "" if path else mend)
    yield from cards()
    yield from _card()
    yield from _escape()
    key = bool(os.environ.get("ANTHROPIC_API_KEY"))
    mend = "" if key else "Set ANTHROPIC_API_KEY for labels by a language model; the offline labeller needs none."
    yield Check("Anthropic key", "ok" if key else "optional", "set" if key else "not set", mend)
    size = shutil.get_terminal_size((0, 0))
    if sys.stdout.isatty() and size.columns:
        small = size.columns < 80 or size.lines < 24
        found = f"{size.columns}x{size.lines}, TERM={os.environ.get('TERM', '')}"
        yield Check("terminal", "broken" if small else "ok", found, "Make it at least 80x24." if small else "")


def cards() -> Iterator[Check]:
    """The NVIDIA GPUs of this machine, with the memory that others leave free."""
    asked = ["nvidia-smi", f"--query-gpu={','.join(CARD)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return  # none is here, or its driver hangs: the line on nvidia-smi itself stays
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        told = f"nvidia-smi failed: {said[-1] if said else f'exit status {done.returncode}'}"
        yield Check("GPU", "optional", told, "Mend the driver, or work on the CPU.")
        return
    for number, line in enumerate(done.stdout.strip().splitlines()):
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == len(CARD) and fields[1].isdecimal() and fields[2].isdecimal():
            name, total, free, driver = fields
            room = f"{int(free) / 1024:.1f} of {int(total) / 1024:.1f} GiB free"
            yield Check(f"GPU {number}", "ok", f"{name}, {room}, driver {driver}")
        else:
            yield Check(f"GPU {number}", "ok", line.strip())


def _card() -> Iterator[Check]:
    """Whether a GPU that is here can be used: the CPU build of torch says so in its version."""
    build = "CPU build" if _torch_version().endswith("+cpu") else "GPU build where the platform has one"
    if shutil.which("nvidia-smi") and build == "CPU build":
        mend = "Install torch with the command that its install page shows for CUDA; until then models run on the CPU."
        yield Check("torch build", "optional", f"{build}: it cannot use the GPU that is here", mend)
    elif _torch_version():
        yield Check("torch build", "ok", build)


def _torch_version() -> str:
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""


def _escape() -> Iterator[Check]:
    """How long tmux holds every esc back; nothing where no tmux server runs."""
    try:
        asked = ["tmux", "show-options", "-sv", "escape-time"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    wait = done.stdout.strip()
    if done.returncode or not wait.isdecimal():
        return
    slow = int(wait) > SLOW_ESCAPE
    mend = "Put `set -sg escape-time 10` into ~/.tmux.conf: esc is felt at once." if slow else ""
    yield Check("tmux escape-time", "optional" if slow else "ok", f"{wait} ms", mend)
