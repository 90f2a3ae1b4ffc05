"""The processes of the messages benchmark: the product's own, and the sandbox that stands for Twilio."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.valkey import free_port

ROOT = Path(__file__).resolve().parents[1]
MESSAGES = "/Messages.json"


class Processes:
    """Started on free ports with the environment of the caller, stopped with `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self.key = ""

    def start(self, name: str, *arguments: str) -> None:
        log = (self.folder / f"{name}.log").open("wb")
        self.started[name] = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=os.environ, stdout=log, stderr=log, start_new_session=True
        )

    def run(self, *arguments: str) -> None:
        """To its end."""
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)

    def start_sandbox(self) -> None:
        """It answers at once, delivers everything and calls nobody back."""
        self.start("sandbox", "-m", "app.sandbox", "--port", str(self.sandbox_port),
                   "--callback-url", f"http://127.0.0.1:{self.web_port}")  # fmt: skip
        _wait_for(self.sandbox_port, "/_control/twilio")
        self.control("POST", "/twilio", {"callbacks": False, "delay_ms": 0.0, "outcomes": {"delivered": 1.0}})

    def start_web(self) -> None:
        self.start("web", "-m", "gunicorn", "wsgi:app", "--config", "gunicorn.conf.py", "-b",
                   f"127.0.0.1:{self.web_port}", "-w", "1")  # fmt: skip
        _wait_for(self.web_port, "/healthz")

    def start_workers(self, count: int) -> None:
        for number in range(count):
            self.start(f"worker{number}", "-m", "app.worker")
        self.start("scheduler", "-m", "app.scheduler")
        _wait_for(self.web_port, "/readyz")

    def workers(self) -> list[int]:
        """Process ids."""
        return [process.pid for name, process in self.started.items() if name.startswith("worker")]

    def stop(self) -> None:
        for process in self.started.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.started.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)

    def call(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> Any:
        """The product's own API, with the key."""
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Content-Type": content_type} if body else {})
        return _ask(self.web_port, method, path, body, headers)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The sandbox's handle."""
        said = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if said else {}
        return _ask(self.sandbox_port, method, f"/_control{path}", said, headers)

    def sent(self) -> int:
        """How many messages the sandbox took so far."""
        return int(self.control("GET", "/twilio/summary")["messages"])

    def arrivals(self) -> list[tuple[float, str]]:
        """When the latest messages arrived, and for which number."""
        rows = self.control("GET", "/received?service=twilio")
        rows = rows["received"] if isinstance(rows, dict) else rows
        return [
            (datetime.fromisoformat(row["at"].replace("Z", "+00:00")).timestamp(), row["body"]["To"])
            for row in rows
            if row["method"] == "POST" and row["path"].endswith(MESSAGES)
        ]


def _ask(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=180)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:300]!r}")
    return json.loads(text) if text[:1] in (b"{", b"[") else text


def _wait_for(port: int, path: str) -> None:
    for _ in range(300):
        try:
            _ask(port, "GET", path, b"", {})
            return
        except (OSError, RuntimeError):
            time.sleep(0.1)
    raise SystemExit(f"Nobody answers at port {port}.")
