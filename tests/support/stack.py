"""The product as it really runs, for browser journeys and fault drills: store, web, workers, scheduler."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path

from tests.support.valkey import Valkey, free_port

ROOT = Path(__file__).resolve().parents[2]


def _upgrade(env: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)


@cache
def _migrated_file() -> Path:
    """An SQLite file after all migrations: they take seconds, so a test process runs them once and copies."""
    folder = Path(tempfile.mkdtemp(prefix="parley-migrated-"))
    _upgrade(os.environ | {"DATA_DIR": str(folder), "DATABASE_URL": ""})
    with closing(sqlite3.connect(folder / "parley.db")) as link:
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "parley.db"


class Stack:
    """Real processes over a database and a store of their own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.store = Valkey(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.env = os.environ | {
            "ENVIRONMENT": "test",
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": "",
            "REDIS_URL": self.store.url,
            "ARGON2_MEMORY_KIB": "1024",
            "ARGON2_TIME_COST": "1",
            "JOB_LEASE_SECONDS": "3",
            "JOB_HEARTBEAT_SECONDS": "0.7",
            "LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
            "WEB_CONCURRENCY": "1",
            **settings,
        }

    def prepare(self) -> None:
        """The store, and a database with all its tables."""
        self.store.start()
        file = Path(self.env["DATA_DIR"]) / "parley.db"
        if self.env["DATABASE_URL"] or file.exists():
            _upgrade(self.env)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_migrated_file(), file)

    def start(self, workers: int = 1) -> Stack:
        self.prepare()
        self.run("web", "-m", "gunicorn", "-k", "gevent", "-w", "1", "--worker-connections", "1000", "-b",
                 f"127.0.0.1:{self.port}", "--graceful-timeout", "2", "wsgi:app")  # fmt: skip
        for number in range(workers):
            self.start_worker(f"worker{number}")
        self.run("scheduler", "-m", "app.scheduler")
        self._wait_ready()
        return self

    def start_worker(self, name: str) -> None:
        self.run(name, "-m", "app.worker")

    def run(self, name: str, *arguments: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
        )

    def kill(self, name: str) -> None:
        """As a crash would: no goodbye."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        self.store.stop()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.1)
        logs = "\n".join(p.read_text(errors="replace")[-2000:] for p in self.folder.glob("*.log"))
        raise RuntimeError(f"The stack did not become ready.\n{logs}")
