"""Corpora that a replay lends to the lines that read them: by their content, and not by what they are called here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from workbench.corpus import store as stores
from workbench.corpus.source import DEMO
from workbench.errors import InputFileError, WorkbenchError
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
        self._stood_in: set[int] = set()
        self._sound: set[Path] = set()

    def lend(self, line: LogLine, taken: Collection[int]) -> None:
        """Lend what a line reads and what no line of the session made again, from this machine or from the session.

        Args:
            taken: lines that were taken from the record; what they made is theirs, and is not there.
        """
        name = line.params.get("corpus")
        if not isinstance(name, str) or name == DEMO or not stores.NAME.fullmatch(name):
            return
        maker = self._maker(name, line)
        left = maker in taken and maker not in self._stood_in
        made = maker is not None and (left or name in stores.names(self._again))
        if made and name not in self._lent:
            return
        found = self._find(name, _digest_in(line, name) or self._elsewhere(name, line.seq))
        if found is not None:
            self._give(name, found)

    def stands_in(self, line: LogLine) -> str:
        """Why an import whose source is not here is none of what is missing: the corpus itself is here, or nothing."""
        source, name = str(line.params.get("source", "")), str(line.params.get("name", ""))
        if line.do != "corpus.import" or Path(source).expanduser().exists():
            return ""
        digests = [value["digest"] for key, value in line.sets.items() if key.startswith("corpora/")]
        try:
            if not digests or self._find(name, str(digests[0])) is None:
                return ""
        except WorkbenchError:
            return ""  # damaged, which the lines that read it say
        self._stood_in.add(line.seq)
        return f"{source} is not here; the corpus that it became is, by its content"

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
            known = (stores.open_digest(home, digest) for home in homes)
            return next((store for store in known if store is not None and self._is(store, digest)), None)
        try:
            return stores.open_name(self._here, name)  # older logs say the name only
        except WorkbenchError:
            return None

    def _is(self, store: stores.TokenStore, digest: str) -> bool:
        """Whether a store has the content that its name says: what came along was written by others."""
        if store.folder not in self._sound:
            try:
                store.check()
            except (OSError, LookupError, TypeError, AttributeError) as error:
                raise InputFileError(f"the corpus in {store.folder} is damaged", "Import it again.") from error
            self._sound.add(store.folder)
        return store.digest == digest

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
