"""What each front end drags in, seen in a process of its own: a static graph cannot see deferred imports."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from commands.registry import VERBS

HEAVY = {"torch", "numpy", "scipy", "sklearn", "transformers", "transformer_lens", "sae_lens", "datasets", "anthropic"}


GROUP_MODULES = {f"commands.{place.partition('.')[0]}" for place in VERBS.values()}


def loaded_after(code: str) -> set[str]:
    """Names of all modules loaded once `code` ran in a fresh interpreter."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "from commands.registry import all_verbs; all_verbs()",
        "import commands.cli",
        "import commands.shell.front, commands.shell.execute, commands.shell.connect, commands.render",
        "import workbench.engine.client, workbench.engine.async_client",
        "import workbench.session, workbench.session.catalog",
        "import screens.app",
    ],
)
def test_front_ends_load_nothing_heavy(code: str) -> None:
    assert not loaded_after(code) & HEAVY


def test_the_app_loads_no_handler() -> None:
    names = loaded_after("import screens.app; from commands.registry import all_verbs; all_verbs()")
    assert not [name for name in names if name.startswith("commands.handlers")]


def test_the_shell_loads_neither_textual_nor_asyncio_for_help() -> None:
    names = loaded_after("import commands.cli; commands.cli.main(['--help'])")
    assert not names & {"textual", "asyncio", "rich"}


def test_help_imports_no_verb_and_a_command_only_its_group() -> None:
    assert not loaded_after("import commands.cli; commands.cli.main(['--help'])") & GROUP_MODULES
    code = "import commands.cli; commands.cli.main(['steer', 'clamp', '--help'])"
    assert loaded_after(code) & GROUP_MODULES == {"commands.steer"}


def test_the_broker_starts_without_numpy() -> None:
    assert not loaded_after("import commands.broker_main") & HEAVY


def test_handlers_of_model_free_queries_load_no_torch() -> None:
    code = (
        "from commands.registry import all_verbs\n"
        "from commands.handlers import handler_of\n"
        "for verb in all_verbs():\n"
        "    if verb.place == 'broker':\n"
        "        handler_of(verb)"
    )
    assert not loaded_after(code) & {"torch", "transformers", "transformer_lens", "sae_lens"}
