"""The product's own processes over the database of the benchmark, and clients that speak to them."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.segments_report import children_of, cpu_seconds
from tests.support.valkey import free_port

ROOT = Path(__file__).resolve().parents[1]
PROCESSES, THREADS = 2, 2


@dataclass(frozen=True)
class Call:
    """One request of the API."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True)
class Servers:
    """A web process, a worker and the scheduler, started as the Procfile starts them."""

    port: int
    web_pid: int
    worker_pid: int
    key: str

    def call(self, call: Call) -> bytes:
        """One call by itself."""
        return _send(_connection(self.port), call, self.key)

    def cpu(self) -> float:
        """Seconds the web process computed so far."""
        return cpu_seconds(self.web_pid)


@contextmanager
def running(folder: Path, key: str) -> Iterator[Servers]:
    """All over the data in the folder and the store of the caller; they end with the block."""
    port = free_port()
    env = os.environ | {"RATE_LIMIT_FACTOR": "1000000", "LOG_LEVEL": "INFO", "LOG_FORMAT": "json"}
    web = ["-m", "gunicorn", "wsgi:app", "--config", "gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "-w", "1"]
    worker = ["-m", "app.worker", "--queues", "critical,default,bulk,ai"]
    started = [_start(folder, env, "web", web), _start(folder, env, "worker", worker)]
    started.append(_start(folder, env, "scheduler", ["-m", "app.scheduler"]))
    try:
        _wait_for(port)
        yield Servers(port, children_of(started[0].pid)[0], started[1].pid, key)
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _start(folder: Path, env: dict[str, str], name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    log = (folder / f"{name}.log").open("wb")
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
    )


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            connection = _connection(port)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The web process did not start.")


def send_all(servers: Servers, calls: Sequence[Call], *, within: float = 3600.0) -> list[float]:
    """Every call once, by clients at the same time over connections that stay open; seconds each took.

    Those that are not begun `within` so many seconds are left. Whatever is not answered 2xx ends the run.
    """
    shares = [(servers.port, servers.key, calls[number::PROCESSES], within) for number in range(PROCESSES)]
    with get_context("fork").Pool(PROCESSES) as pool:
        return [one for many in pool.starmap(_share, shares) for one in many]


def _share(port: int, key: str, calls: Sequence[Call], within: float) -> list[float]:
    took: list[float] = []
    end = time.perf_counter() + within
    faults: list[BaseException] = []
    threads = [
        threading.Thread(target=_run, args=(port, key, calls[number::THREADS], end, took, faults))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return took


def _run(
    port: int, key: str, calls: Sequence[Call], end: float, took: list[float], faults: list[BaseException]
) -> None:
    connection = _connection(port)
    try:
        for call in calls:
            if (start := time.perf_counter()) > end:
                return
            _send(connection, call, key)
            took.append(time.perf_counter() - start)
    except Exception as error:
        faults.append(error)
    finally:
        connection.close()


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=120)


def _send(connection: http.client.HTTPConnection, call: Call, key: str) -> bytes:
    headers = {"Authorization": f"Bearer {key}"} | ({"Content-Type": call.content_type} if call.body else {})
    connection.request(call.method, call.path, call.body or None, headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{call.method} {call.path} answered {answer.status}: {body[:300]!r}")
    return body
