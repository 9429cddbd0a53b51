"""The screens' process stays light: no numpy, no torch, no web clients, proven on `sys.modules`."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "torch", "transformers", "sklearn", "scipy", "httpx", "anthropic", "plotext", "commands.handlers")


def test_the_app_imports_nothing_heavy() -> None:
    code = (
        "import sys, asyncio\n"
        "from tests.screens.stage import play, press\n"
        "async def walk(app, pilot):\n"
        "    await press(pilot, *'2345789', '3', 'enter', 'colon', 'tab', 'escape', 'p', 'escape', 'question_mark')\n"
        "play(walk)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_animations_are_off_however_the_app_is_imported() -> None:
    code = "import screens.app, textual.constants as c; print(c.TEXTUAL_ANIMATIONS)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "none", done.stderr
