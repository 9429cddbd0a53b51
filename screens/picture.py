"""Pictures of the real app for the documentation: `python -m screens.picture` writes docs/pictures/*.svg.

The app runs without a terminal on a copy of a shipped session, with the real engine behind it; keys are pressed and
what stands on the screen is kept as SVG. The fonts that such a file would ask of the network are left out.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from workbench.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
SESSION = "achievement"
SIZE = (110, 30)
PICTURES: dict[str, tuple[str, ...]] = {
    "select": ("3", "j"),
    "feature": ("3", "j", "enter"),
}
"""Name of each picture, and the keys that lead to it."""
_FONT = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


async def pictures(sessions: Path) -> dict[str, str]:
    """The pictures by name, each of an app that was just opened."""
    from screens.app import WorkbenchApp
    from screens.start import engine_opener

    found = {}
    for name, keys in PICTURES.items():
        app = WorkbenchApp(engine_opener(str(sessions), None), SESSION)
        async with app.run_test(size=SIZE) as pilot:
            for key in ("", *keys):
                if key:
                    await pilot.press(key)
                for _ in range(4):
                    await app.workers.wait_for_complete()
                    await pilot.pause()
            found[name] = offline(app.export_screenshot(title=f"workbench · {name}"))
    return found


def offline(svg: str) -> str:
    """The picture without fonts from the network: what draws it takes a monospace font of its own."""
    return _FONT.sub("", svg)


def main() -> int:
    """Write all pictures, in all colours whatever this terminal has: Textual reads the number when it is imported."""
    os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
    with tempfile.TemporaryDirectory(prefix="workbench-picture-") as folder:
        shutil.copytree(ROOT / "sessions" / SESSION, Path(folder) / SESSION)
        for name, svg in asyncio.run(pictures(Path(folder))).items():
            FOLDER.mkdir(parents=True, exist_ok=True)
            write_atomic(FOLDER / f"{name}.svg", svg)
            sys.stdout.write(f"wrote docs/pictures/{name}.svg ({len(svg.encode()) / 1000:.0f} KB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
