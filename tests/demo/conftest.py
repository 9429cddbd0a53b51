"""The shipped demo, loaded once for all of its tests."""

import json
import warnings
from pathlib import Path

import pytest

import workbench.demo as demo


@pytest.fixture(scope="session")
def manifest():
    return json.loads((Path(demo.__file__).parent / "manifest.json").read_text())


@pytest.fixture(scope="session")
def tokenizer():
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(demo.model_dir() / "tokenizer.json"))


@pytest.fixture(scope="session")
def model():
    from workbench.demo.build import load_model

    return load_model(demo.model_dir())


@pytest.fixture(scope="session")
def sae():
    from workbench.demo.measure import load_sae

    with warnings.catch_warnings():
        # What SAELens imports of TransformerLens goes by its old name.
        warnings.filterwarnings("ignore", "The 'utils' module has been deprecated", DeprecationWarning)
        return load_sae(demo.sae_dir())
