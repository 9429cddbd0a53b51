"""Which tool wrote a folder, told from its files."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import InputFileError, WorkbenchError
from workbench.saes.formats import dictionary_learning, saelens, sparsify
from workbench.saes.formats.loaded import LoadedSae

FORMATS = (saelens, sparsify, dictionary_learning)


def read_folder(folder: Path, device: str) -> LoadedSae:
    """The SAE in a folder.

    Raises:
        InputFileError: no known format, or files that are missing, damaged or of an unknown kind.
    """
    for form in FORMATS:
        if all((folder / name).is_file() for name in form.FILES):
            try:
                found: LoadedSae = form.read(folder, device)
                return found
            except WorkbenchError:
                raise
            except Exception as error:  # the libraries raise all kinds for a damaged file
                # torch says in its first line that something is wrong, and in the others what
                reason = " ".join(str(error).split())[:300]
                raise InputFileError(
                    f"cannot load the SAE in {folder} ({type(error).__name__}: {reason})",
                    f"It looks like a {form.NAME} folder: check {' and '.join(form.FILES)}.",
                ) from error
    missing = [name for name in saelens.FILES if not (folder / name).is_file()]
    raise InputFileError(
        f"{folder} has no {' and no '.join(missing)}",
        "SAE folders hold " + ", or ".join(f"{' and '.join(form.FILES)} ({form.NAME})" for form in FORMATS) + ".",
    )
