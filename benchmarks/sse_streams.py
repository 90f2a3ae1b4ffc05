"""Whether pages stay quick while streams are open: `python benchmarks/sse_streams.py [streams] [requests]`.

One gunicorn gevent process serves everything. The same pages are asked for with no stream open, with all of
them open and silent, and with all of them open while something is published to every one five times a second.
Another process holds the streams and notes how late each event arrives. Only this machine talks to itself.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import re
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.stack import ROOT, Stack

STREAMS, REQUESTS = 500, 60
PAGES = {"/app": "text/html", "/app/audiences": "text/html", "/audience": "application/json"}
TARGET_SECONDS = 0.2
PUBLISH_EVERY = 0.2
STAMP = re.compile(rb'"at":(\d+\.\d+)')
ACCOUNT = {"email": "bench@example.com", "password": "a good password"}


def call(port: int, method: str, path: str, cookie: str = "", body: object = None, accept: str = "*/*"):
    """One request over a connection of its own; status, headers and seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Accept": accept, "Cookie": cookie, "Content-Type": "application/json"}
    began = time.perf_counter()
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    answer.read()
    took = time.perf_counter() - began
    connection.close()
    return answer, took


def hold_streams(pipe: Connection, port: int, cookie: str, count: int) -> None:
    """Open streams, then note how late each event is, until told to end."""
    poll = selectors.DefaultSelector()
    request = f"GET /stream?channel=audience HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
    for _ in range(count):
        stream = socket.create_connection(("127.0.0.1", port), timeout=20)
        stream.sendall(request)
        stream.setblocking(False)
        poll.register(stream, selectors.EVENT_READ, [])
    greeted, delays = 0, []
    told = False
    while not pipe.poll():
        for key, _ in poll.select(0.05):
            chunk = key.fileobj.recv(65536)  # type: ignore[union-attr]
            now = time.time()
            if not chunk:
                poll.unregister(key.fileobj)
                continue
            greeted += chunk.count(b": hello")
            delays += [now - float(stamp) for stamp in STAMP.findall(chunk)]
        if greeted >= count and not told:
            told = True
            pipe.send("open")
    pipe.send((len(poll.get_map()), delays))
    pipe.recv()


class Publisher:
    """Publishes to every stream at a steady pace until stopped."""

    def __init__(self, tenant_id: int) -> None:
        self.sent = 0
        self._tenant_id = tenant_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        from app.core.sse import publish

        while not self._stop.wait(PUBLISH_EVERY):
            publish("audience", "bench", {"at": time.time()}, tenant_id=self._tenant_id)
            self.sent += 1


def measure(port: int, cookie: str, requests: int) -> dict[str, list[float]]:
    """Seconds for each page, asked for in turn."""
    took: dict[str, list[float]] = {page: [] for page in PAGES}
    for _ in range(requests):
        for page, accept in PAGES.items():
            answer, seconds = call(port, "GET", page, cookie, accept=accept)
            assert answer.status == 200, f"{page}: {answer.status}"
            took[page].append(seconds)
    return took


def at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show(title: str, took: dict[str, list[float]], before: dict[str, list[float]] | None = None) -> None:
    for page, values in took.items():
        median, p95 = statistics.median(values), at(values, 0.95)
        ratio = f"  x{median / statistics.median(before[page]):.2f}" if before else ""
        print(f"  {title:<22} {page:<15} median {median * 1000:6.1f} ms  p95 {p95 * 1000:6.1f}  max {max(values) * 1000:6.1f}{ratio}")  # fmt: skip  # noqa: E501


def start(folder: Path) -> Stack:
    """A store and one web process; nothing else is needed here."""
    stack = Stack(folder, LOG_LEVEL="WARNING")
    stack.store.start()
    upgrade = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(upgrade, cwd=ROOT, env=stack.env, check=True, capture_output=True)
    stack.run("web", "-m", "gunicorn", "wsgi:app", "--config", "gunicorn.conf.py", "-w", "1", "-b", f"127.0.0.1:{stack.port}")  # fmt: skip  # noqa: E501
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if call(stack.port, "GET", "/healthz")[0].status == 200:
                return stack
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The web process did not start.")


def memory_mb(stack: Stack) -> float:
    web = psutil.Process(stack.processes["web"].pid)
    return max(child.memory_info().rss for child in web.children()) / 2**20


def sign_in(port: int) -> str:
    call(port, "POST", "/signup", body=ACCOUNT)
    answer, _ = call(port, "POST", "/login", body=ACCOUNT)
    cookie = str(answer.getheader("Set-Cookie")).split(";")[0]
    for number in range(20):
        brief = {"name": f"Audience {number}", "business_description": "Organic groceries in a box"}
        assert call(port, "POST", "/audience", cookie, brief)[0].status == 201
    return cookie


def run(stack: Stack, streams: int, requests: int) -> bool:
    """Measure in three situations and print what came out; whether the target was met."""
    cookie = sign_in(stack.port)
    measure(stack.port, cookie, 5)
    alone = measure(stack.port, cookie, requests)
    alone_mb = memory_mb(stack)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    holder = multiprocessing.get_context("spawn").Process(
        target=hold_streams, args=(theirs, stack.port, cookie, streams), daemon=True
    )
    began = time.perf_counter()
    holder.start()
    if not ours.poll(60):
        raise SystemExit("The streams did not open.")
    ours.recv()
    opened = time.perf_counter() - began
    idle = measure(stack.port, cookie, requests)
    with Publisher(tenant_id=1) as publisher:
        busy = measure(stack.port, cookie, requests)
    time.sleep(0.5)
    ours.send("end")
    alive, delays = ours.recv()
    ours.send("bye")
    print(
        f"{streams} streams on one web process ({os.cpu_count()} cores), "
        f"opened in {opened:.1f} s, {alive} open at the end"
    )
    show("no stream", alone)
    show("open, silent", idle, alone)
    show("open, 5 events/s each", busy, alone)
    print(f"  {len(delays)} of {publisher.sent * streams} deliveries: p50 {at(delays, 0.5) * 1000:.1f} ms, "
          f"p99 {at(delays, 0.99) * 1000:.1f} ms, last {max(delays) * 1000:.1f} ms")  # fmt: skip
    print(f"  web process: {alone_mb:.0f} MB without, {memory_mb(stack):.0f} MB with the streams")
    slowest = max(at(values, 0.95) for values in (*idle.values(), *busy.values()))
    met = slowest < TARGET_SECONDS and len(delays) == publisher.sent * streams and alive == streams
    print(f"  target (p95 under {TARGET_SECONDS * 1000:.0f} ms, nothing lost): {'met' if met else 'MISSED'}")
    return met


def main() -> int:
    streams, requests = ([int(a) for a in sys.argv[1:]] + [STREAMS, REQUESTS][len(sys.argv) - 1 :])[:2]
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 8192) if limit > 0 else 8192, limit))
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        stack = start(Path(folder))
        os.environ["REDIS_URL"] = stack.store.url
        try:
            return 0 if run(stack, streams, requests) else 1
        finally:
            stack.stop()


if __name__ == "__main__":
    raise SystemExit(main())
