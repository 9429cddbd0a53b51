"""What the processes carry: the broker neither numpy nor torch, the shell's client no asyncio either."""

from __future__ import annotations

import subprocess

import pytest

from workbench.engine.spawn import python_command, python_environment


def loaded(module: str) -> set[str]:
    command = [*python_command(module)[:2], "-c", f"import sys, {module}; print(*sys.modules)"]
    done = subprocess.run(command, env=python_environment(), capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("module", ["workbench.engine.broker", "workbench.engine.child", "commands.broker_main"])
def test_the_engine_starts_without_heavy_modules(module: str) -> None:
    assert not loaded(module) & {"numpy", "torch", "scipy", "transformers", "textual"}


def test_the_shell_s_client_needs_no_asyncio() -> None:
    assert not loaded("workbench.engine.client") & {"numpy", "torch", "asyncio", "subprocess"}


def test_the_engine_knows_no_command() -> None:
    names = loaded("workbench.engine.broker") | loaded("workbench.engine.child") | loaded("workbench.engine.client")
    assert not names & {"commands", "screens"}
