"""The environment the commands make: whole or made again, never half; and what they say when they cannot."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.commands.house import ROOT, clean_environment
from tests.support.valkey import free_port

pytestmark = pytest.mark.xdist_group("commands")


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / "bin/run"), *arguments],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The commands of the project with nothing to install, and a product that only says it was reached."""
    project = tmp_path / "bare"
    shutil.copytree(ROOT / "bin", project / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "requirements.txt").write_text("")
    (project / "bin/_run.py").write_text("import sys; print('reached', sys.prefix)")
    return project


@pytest.mark.slow
def test_an_interrupted_installation_is_made_afresh_and_a_whole_one_is_kept(bare: Path):
    environment = clean_environment(PARLEY_VENV="")
    first = subprocess.Popen([str(bare / "bin/run")], env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (bare / ".venv/.installing").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()

    second = run(bare, PARLEY_VENV="")
    assert "interrupted; starting it afresh" in second.stderr
    assert second.stdout == f"reached {bare / '.venv'}\n"

    third = run(bare, PARLEY_VENV="")
    assert (third.stderr, third.stdout) == ("", second.stdout)

    (bare / "requirements.txt").write_text("# changed\n")
    assert "Installing requirements.txt" in run(bare, PARLEY_VENV="").stderr


def test_a_machine_without_python_gets_one_sentence(tmp_path: Path):
    for tool in ("bash", "env", "dirname", "readlink"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    answer = run(ROOT, PATH=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "Parley needs Python 3.11 or newer" in answer.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--port", "80800"], "--port must be a number from 1 to 65535"),
        (["--data-dir", "/dev/null/data"], "The data folder /dev/null/data cannot be written"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(flags: list[str], said: str):
    answer = run(ROOT, *flags)
    assert answer.returncode == 1
    assert answer.stderr.startswith(said)
    assert answer.stderr.count("\n") == 1


def test_an_unreachable_redis_is_refused_without_showing_its_password(tmp_path: Path):
    port = str(free_port())
    answer = run(ROOT, "--data-dir", str(tmp_path), "--no-sandbox", PORT=port, REDIS_URL="redis://:hidden@127.0.0.1:1")
    assert answer.returncode == 1
    assert "REDIS_URL names 127.0.0.1:1, but nothing answers there" in answer.stderr
    assert "hidden" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("command", ["run", "test"])
def test_help_needs_no_environment(bare: Path, command: str):
    shutil.copy(ROOT / "bin/_run.py", bare / "bin/_run.py")
    answer = subprocess.run([str(bare / "bin" / command), "--help"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"usage: bin/{command}")
    assert not (bare / ".venv").exists()
