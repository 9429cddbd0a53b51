"""The wheel, installed in a fresh environment, does the main job from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel; what it depends on is lent by the running one.

    Only the dependencies are lent: a folder named in a .pth file has its own .pth files left unread, so the
    checkout's editable install stays invisible.
    """
    base = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(base / "dist"), str(ROOT)],
        check=True,
        capture_output=True,
    )
    subprocess.run([sys.executable, "-m", "venv", str(base / "env")], check=True)
    python = base / "env" / "bin" / "python"
    site = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    wheel = next((base / "dist").glob("*.whl"))
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (Path(site) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return base / "env" / "bin"


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WORKBENCH"))}
    environment = {**clean, "WORKBENCH_HOME": str(folder / "home"), "WORKBENCH_RUNTIME": str(folder / "run")}
    return subprocess.run(
        [str(installed / "workbench"), *words], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_wheel_does_the_main_job_elsewhere(installed: Path, tmp_path: Path) -> None:
    where = run(installed, tmp_path, "--version")
    assert where.returncode == 0, where.stderr
    done = run(installed, tmp_path, "--json", "demo", "--out", "report.html")
    try:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "report.html").stat().st_size > 10_000
        assert json.loads(done.stdout)["result"]["report"] == str(tmp_path / "report.html")
        listed = json.loads(run(installed, tmp_path, "--json", "session", "list").stdout)["result"]
        assert {row["name"] for row in listed["sessions"]} >= {"demo", "achievement", "weekdays"}
        assert listed["folder"] == str(tmp_path / "home" / "sessions")
        checked = run(installed, tmp_path, "--json", "replay", "achievement", "--check")
        assert checked.returncode == 0, checked.stdout
        assert json.loads(checked.stdout)["result"]["equal"] is True
    finally:
        run(installed, tmp_path, "engine", "stop")


@pytest.mark.slow
def test_the_app_in_the_wheel_opens(installed: Path, tmp_path: Path) -> None:
    """Its style sheet and screens travel: the first frame comes up in a pseudo-terminal."""
    program = (
        "import pty, os, sys, select, time\n"
        "pid, fd = pty.fork()\n"
        "if pid == 0:\n"
        "    os.environ['TERM'] = 'xterm-256color'\n"
        "    os.execv(sys.argv[1], [sys.argv[1]])\n"
        "seen, end = b'', time.time() + 60\n"
        "while time.time() < end and b'Stimuli' not in seen:\n"
        "    if select.select([fd], [], [], 1)[0]:\n"
        "        seen += os.read(fd, 65536)\n"
        "os.kill(pid, 9)\n"
        "sys.exit(0 if b'Stimuli' in seen else 1)\n"
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WORKBENCH"))}
    environment = {**clean, "WORKBENCH_HOME": str(tmp_path / "home"), "WORKBENCH_RUNTIME": str(tmp_path / "run")}
    opened = subprocess.run(
        [sys.executable, "-c", program, str(installed / "workbench")], cwd=tmp_path, env=environment, check=False
    )
    run(installed, tmp_path, "engine", "stop")
    assert opened.returncode == 0
