"""The copy of the project and the starter that the tests of the commands share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.commands.house import ROOT, Run


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, without what git would not carry, but compiled."""
    copy = tmp_path_factory.mktemp("project") / "parley"
    left_out = shutil.ignore_patterns(
        ".venv*", ".git", "instance", "node_modules", ".*_cache", ".env", "tests", "docs", "benchmarks", "*.pyc.*"
    )
    shutil.copytree(ROOT, copy, ignore=left_out, symlinks=True)
    return copy


class Starter:
    """Starts bin/run of the copy; whatever a test leaves running is killed."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project = project
        self.folder = folder
        self.runs: list[Run] = []

    def __call__(self, name: str, *, command: Path | None = None, **more: Any) -> Run:
        run = Run(command or self.project / "bin/run", self.folder / name, **more)
        self.runs.append(run)
        return run

    def end(self) -> None:
        for run in self.runs:
            if run.process.poll() is None:
                children = run.children()
                run.process.kill()
                for pid in children:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                run.process.wait()


@pytest.fixture
def start(project: Path, tmp_path: Path) -> Iterator[Starter]:
    """start("folder", port=…, sandbox_port=…, environment=…) gives a Run that works on that data folder."""
    starter = Starter(project, tmp_path)
    yield starter
    starter.end()
