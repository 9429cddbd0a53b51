"""What tests of several rooms share: a home of their own, and a tiny model with its SAE."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tiny


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `WORKBENCH_HOME` of this test's own, with no session chosen and no network."""
    folder = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    for name in ("WORKBENCH_SESSION", "WORKBENCH_SESSIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def sessions(tmp_path: Path, home: Path) -> Path:
    folder = tmp_path / "sessions"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def torch_loaded() -> None:
    """Import the heavy libraries once; what they warn of at import is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sae_lens  # noqa: F401
        import transformer_lens.model_bridge  # noqa: F401
        import transformers

    transformers.utils.logging.disable_progress_bar()


@pytest.fixture
def one_thread(torch_loaded: None) -> Iterator[None]:
    """Tiny tensors gain nothing from threads that wait for each other on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory, torch_loaded: None) -> Path:
    """A folder with `model` and `sae`."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make_model(folder / "model")
    tiny.make_sae(folder / "sae")
    return folder


@pytest.fixture(scope="session")
def model_cache(torch_loaded: None) -> Any:
    """One cache for all tests that do not care, so that the tiny model is loaded once."""
    from workbench.models.cache import ModelCache

    return ModelCache()


@pytest.fixture(scope="session")
def tiny_model(tiny_files: Path, torch_loaded: None) -> Any:
    from workbench.models.loading import load_model

    return load_model({"ref": str(tiny_files / "model"), "device": "cpu"})


@pytest.fixture(scope="session")
def tiny_space(tiny_files: Path, tiny_model: Any) -> Any:
    from workbench.saes.space import load_space

    return load_space(str(tiny_files / "sae"), "", tiny_model)


@pytest.fixture
def do(sessions: Path, model_cache: Any, one_thread: None) -> Iterator[Callable[..., dict[str, Any]]]:
    """Carry out a line in this process: `do("features.contrast wins", "s")`; files are read as a shell reads them."""
    from commands.handlers import handler_of
    from commands.line import parse_line
    from workbench.run import Runner
    from workbench.uploads import read_uploads

    runner = Runner(handler_of, sessions, "a test", model_cache)

    def carry_out(line: str, session: str | None = "s", **options: Any) -> dict[str, Any]:
        verb = parse_line(line)
        return runner.do(verb, session, files=read_uploads(verb), **options)

    yield carry_out


@pytest.fixture
def loaded(do: Any, tiny_files: Path) -> Any:
    """`do`, with session `s` in which the tiny model and its SAE are loaded."""
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    do(f"sae.load {tiny_files / 'sae'}")
    return do
