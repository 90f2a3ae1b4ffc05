"""A copy of the project whose bin/run a test may start, watch and kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from tests.support.valkey import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0  # a machine that runs other tests beside this one is slow


def clean_environment(**more: str) -> dict[str, str]:
    """Nothing of the developer's settings, and the environment this test runs in instead of a new one."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"PARLEY_VENV": sys.prefix, "ARGON2_MEMORY_KIB": "8192"} | more


class Run:
    """One bin/run and what it has said; without a port for it there is no sandbox."""

    def __init__(
        self, command: Path, folder: Path, *, port: int = 0, sandbox_port: int = 0, environment: Path | None = None
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.lines: list[str] = []
        arguments = ["--port", str(self.port), "--data-dir", str(folder), "--no-demo"]
        arguments += ["--sandbox-port", str(sandbox_port)] if sandbox_port else ["--no-sandbox"]
        self.process = subprocess.Popen(
            [str(command), *arguments],
            cwd=folder.parent,
            env=clean_environment(PARLEY_VENV=str(environment or sys.prefix)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str) -> None:
        """Return when this was said; fail when it ended or time ran out first."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.said:
            assert time.monotonic() < deadline, f"{text!r} was not said:\n{self.said}"
            assert self.process.poll() is None or text in self.said, f"ended before {text!r}:\n{self.said}"
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        self.wait_for("Ready in")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, wait for its end, give the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        self.reader.join(5)
        return code

    def get(self, path: str) -> int:
        """The status of a page of the product."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def children(self) -> list[int]:
        """The ids of every process it started, however deep, itself left out."""
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


def gone(pids: list[int], *, within: float) -> bool:
    """Whether none of these processes is left after so many seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not [pid for pid in pids if is_alive(pid)]:
            return True
        time.sleep(0.1)
    return False


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and only waits to be collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
