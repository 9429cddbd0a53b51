"""Exported sessions as the files in them: read, written with a fitting manifest, laid out as a folder."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from workbench.session.layout import MANIFEST_NAME

Files = dict[str, bytes]
DATE = (1980, 1, 1, 0, 0, 0)


def content(folder: Path) -> Files:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def read(archive: Path) -> Files:
    with zipfile.ZipFile(archive) as file:
        return {info.filename.partition("/")[2]: file.read(info) for info in file.infolist()}


def manifest_of(files: Files, **more: Any) -> bytes:
    about = {name: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for name, raw in files.items()}
    return json.dumps({"form": 1, "session": "s", "files": about, **more}).encode()


def write(archive: Path, files: Files, top: str = "s/", **manifest: Any) -> Path:
    """An archive of these files with a manifest that fits them."""
    plain = {name: raw for name, raw in files.items() if name != MANIFEST_NAME}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in {**plain, MANIFEST_NAME: manifest_of(plain, **manifest)}.items():
            file.writestr(zipfile.ZipInfo(top + name, DATE), raw, zipfile.ZIP_DEFLATED)
    return archive


def bring_out(files: Files, folder: Path) -> None:
    for name, raw in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)
