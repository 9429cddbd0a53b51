"""The embedded demo: a small language model, its SAE, the corpus they were trained on, and stimulus sets.

This module only names folders; it imports neither numpy nor torch.
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent


def model_dir() -> Path:
    """Folder of the shipped language model, in plain Hugging Face format."""
    return HERE / "model"


def sae_dir() -> Path:
    """Folder of the shipped sparse autoencoder, in SAELens format."""
    return HERE / "sae"


def stimuli_dir() -> Path:
    """Folder of the shipped stimulus sets, one JSON file each."""
    return HERE / "stimuli"


def sessions_dir() -> Path:
    """Folder of the worked example sessions: inside the package in a wheel, else at the root of the checkout."""
    packaged = HERE / "sessions"
    return packaged if packaged.is_dir() else HERE.parents[1] / "sessions"


def script_lines() -> list[str]:
    """The commands of the demo, as lines of a script: what the shell's `demo` and the app's `d` both issue."""
    text = (HERE / "demo.script").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
