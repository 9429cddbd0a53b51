"""Corpora that a replay lends to the lines that read them: by their content, and not by what they are called here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from workbench.corpus import store as stores
from workbench.corpus.source import DEMO
from workbench.errors import WorkbenchError
from workbench.session import SessionRecord
from workbench.session.layout import STORES
from workbench.session.log import LogLine


class Corpora:
    """Puts corpora where a replay looks for them; they are text and no result.

    Args:
        record: the session that is replayed.
        here: this machine's home.
        again: the home of the replay, which begins empty.
    """

    def __init__(self, record: SessionRecord, here: Path, again: Path) -> None:
        self._record = record
        self._here = here
        self._again = again
        self._lent: set[str] = set()

    def lend(self, line: LogLine, taken: Collection[int]) -> None:
        """Lend what a line reads and what no line of the session made again, from this machine or from the session.

        Args:
            taken: lines that were taken from the record; what they made is theirs, and is not there.
        """
        name = line.params.get("corpus")
        if not isinstance(name, str) or name == DEMO or not stores.NAME.fullmatch(name):
            return
        maker = self._maker(name, line)
        made = maker is not None and (maker in taken or name in stores.names(self._again))
        if made and name not in self._lent:
            return
        found = self._find(name, _digest_in(line, name) or self._elsewhere(name, line.seq))
        if found is not None:
            self._give(name, found)

    def _elsewhere(self, name: str, seq: int) -> str:
        """What that name meant to the last line before that says so, or to the first one after it."""
        known = [(line.seq, digest) for line in self._record.lines if (digest := _digest_in(line, name))]
        before = [digest for at, digest in known if at < seq]
        return before[-1] if before else known[0][1] if known else ""

    def _maker(self, name: str, line: LogLine) -> int | None:
        entry = f"corpora/{name}"
        made = [
            one.seq for one in self._record.lines if one.seq < line.seq and one.outcome == "ok" and entry in one.sets
        ]
        return made[-1] if made else None

    def _find(self, name: str, digest: str) -> stores.TokenStore | None:
        homes = (self._here, self._record.path / STORES)
        if digest:
            return next((store for home in homes if (store := stores.open_digest(home, digest)) is not None), None)
        try:
            return stores.open_name(self._here, name)  # older logs say the name only
        except WorkbenchError:
            return None

    def _give(self, name: str, found: stores.TokenStore) -> None:
        lent = stores.corpora(self._again) / found.folder.name
        lent.mkdir(parents=True, exist_ok=True)
        for file in found.folder.iterdir():
            if file.is_file() and not (lent / file.name).exists():
                (lent / file.name).symlink_to(file.absolute())
        stores.give_name(self._again, name, found.digest)
        self._lent.add(name)


def _digest_in(line: LogLine, name: str) -> str:
    """The digest of the corpus of that name that a line made or says it read, or an empty text."""
    for key, value in line.sets.items():
        if isinstance(value, dict) and (key == f"corpora/{name}" or value.get("corpus") == name):
            return str(value.get("store") or value.get("digest") or "")
    for key in ("corpus", "tokens"):
        value = line.provenance.get(key)
        if isinstance(value, dict) and name in (value.get("ref"), value.get("source")):
            return str(value.get("digest") or "")
    return ""
