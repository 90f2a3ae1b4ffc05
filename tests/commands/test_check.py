"""bin/test: every check runs, one failure fails the whole, arguments reach pytest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands.house import ROOT, clean_environment

pytestmark = pytest.mark.xdist_group("commands")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project of one unformatted file and two tests, checked by the commands of this one."""
    project = tmp_path / "small"
    shutil.copytree(ROOT / "bin", project / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests']\n")
    (project / "tests").mkdir()
    (project / "tests/test_it.py").write_text("def test_one():\n  pass\n\n\ndef test_two():\n    assert False\n")
    return project


def check(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / "bin/test"), *arguments],
        env=clean_environment(CHROMIUM="true", CI="true"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_a_failed_check_does_not_keep_the_others_from_running(small: Path):
    answer = check(small, "-k", "test_one", "-n", "0")
    summary = answer.stdout.split("== summary")[1]
    assert answer.returncode == 1
    assert "FAILED  ruff format" in summary
    assert "passed  pytest" in summary


def test_arguments_reach_pytest_and_its_failure_is_the_answer(small: Path):
    assert check(small, "--only", "tests", "-n", "0", "tests/test_it.py", "-k", "test_one").returncode == 0
    failed = check(small, "--only", "tests", "-n", "0")
    assert failed.returncode == 1
    assert "1 failed, 1 passed" in failed.stdout
    assert "ruff" not in failed.stdout
