"""What signing in and checking a credential cost: `python benchmarks/auth.py [seconds]`.

One gunicorn gevent process serves Parley with Argon2 at its production cost, another of the same shape a Flask app
of one route. A few client processes ask over connections that stay open, one kind of request after the other.
Figures are requests a second, and how many times fewer than of the bare route in the same run.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.stack import ROOT, Stack
from tests.support.valkey import free_port

SECONDS, ROUNDS, PROCESSES, THREADS = 6.0, 3, 2, 4
ACCOUNT = {"email": "bench@example.com", "password": "a good password"}
PRODUCTION = {"ARGON2_MEMORY_KIB": "65536", "ARGON2_TIME_COST": "3", "RATE_LIMIT_FACTOR": "1000000"}
SHAPE = ("-m", "gunicorn", "-k", "gevent", "-w", "1", "--worker-connections", "1000", "--graceful-timeout", "2")


@dataclass(frozen=True)
class Ask:
    """One kind of request."""

    name: str
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class Result:
    per_second: float
    median_ms: float
    p95_ms: float


def bare_app():  # type: ignore[no-untyped-def]
    """What gunicorn serves as the yardstick."""
    from flask import Flask, jsonify

    app = Flask("bare")
    app.add_url_rule("/", "index", lambda: jsonify(email="bench@example.com", role="admin", tenant_id=1))
    return app


def measure(ask: Ask, seconds: float) -> list[float]:
    """The same request from several processes at once; seconds each. Whatever is not 200 ends the run."""
    with multiprocessing.Pool(PROCESSES) as pool:
        return [one for many in pool.starmap(_ask_from_threads, [(ask, seconds)] * PROCESSES) for one in many]


def measure_all(kinds: list[Ask], seconds: float) -> list[tuple[Ask, Result]]:
    """In rounds over all kinds, so that what else the machine does falls on each of them alike."""
    took: dict[str, list[float]] = {ask.name: [] for ask in kinds}
    for _ in range(ROUNDS):
        for ask in kinds:
            took[ask.name] += measure(ask, seconds / ROUNDS)
    return [(ask, _result(sorted(took[ask.name]), seconds)) for ask in kinds]


def _result(ordered: list[float], seconds: float) -> Result:
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return Result(len(ordered) / seconds, statistics.median(ordered) * 1000, p95 * 1000)


def _ask_from_threads(ask: Ask, seconds: float) -> list[float]:
    took: list[float] = []
    faults: list[str] = []
    threads = [threading.Thread(target=_keep_asking, args=(ask, seconds, took, faults)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{ask.name}: {faults[0]}")
    return took


def _keep_asking(ask: Ask, seconds: float, took: list[float], faults: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ask.port, timeout=30)
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end and not faults:
        status, _headers, body = send(connection, ask)
        took.append(time.perf_counter() - began)
        if status != 200:
            faults.append(f"answered {status} {body[:200]!r}")
    connection.close()


def send(connection: http.client.HTTPConnection, ask: Ask) -> tuple[int, http.client.HTTPMessage, bytes]:
    body = None if ask.body is None else json.dumps(ask.body)
    connection.request(
        "GET" if body is None else "POST", ask.path, body, {"Content-Type": "application/json", **ask.headers}
    )
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def credentials(port: int) -> dict[str, dict[str, str]]:
    """Headers that show who asks, in each of the three ways."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(path: str, body: dict[str, Any], **headers: str) -> tuple[http.client.HTTPMessage, Any]:
        status, got, text = send(connection, Ask(path, port, path, headers, body))
        if status not in (200, 201):
            raise SystemExit(f"{path} answered {status}: {text[:300]!r}")
        return got, json.loads(text)

    post("/signup", ACCOUNT)
    cookie = post("/login", ACCOUNT)[0]["Set-Cookie"].split(";")[0]
    token = post("/api/v1/auth/login", ACCOUNT)[1]["access_token"]
    key = post("/api/v1/api-keys", {"name": "Benchmark", "scopes": ["read"]}, Cookie=cookie)[1]["key"]
    return {
        "cookie": {"Cookie": cookie},
        "access token": {"Authorization": f"Bearer {token}"},
        "API key": {"Authorization": f"Bearer {key}"},
    }


def asks(port: int, bare_port: int) -> list[Ask]:
    known = credentials(port)
    checks = [Ask(f"`GET /audience`, {name}", port, "/audience", headers) for name, headers in known.items()]
    return [
        Ask("bare Flask route", bare_port, "/"),
        Ask("`GET /healthz`, no credential", port, "/healthz"),
        Ask("`GET /api/v1/auth/me`, access token", port, "/api/v1/auth/me", known["access token"]),
        *checks,
        Ask("sign-in, `POST /api/v1/auth/login`", port, "/api/v1/auth/login", body=ACCOUNT),
    ]


def hashes_per_second(seconds: float) -> float:
    """Argon2 alone at the same cost, in one thread: no sign-in can be quicker than its hash."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(
        time_cost=int(PRODUCTION["ARGON2_TIME_COST"]), memory_cost=int(PRODUCTION["ARGON2_MEMORY_KIB"])
    )
    kept, count, end = hasher.hash(ACCOUNT["password"]), 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        hasher.verify(kept, ACCOUNT["password"])
        count += 1
    return count / seconds


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    stack = Stack(Path(tempfile.mkdtemp(prefix="parley-bench-")), **PRODUCTION)
    bare_port = free_port()
    try:
        stack.start(workers=1)
        stack.run("bare", *SHAPE, "-b", f"127.0.0.1:{bare_port}", "benchmarks.auth:bare_app()")
        _wait_for(bare_port)
        kinds = asks(stack.port, bare_port)
        for ask in kinds:
            measure(ask, 0.5)  # the first requests make connections and fill caches
        results = measure_all(kinds, seconds)
        alone = hashes_per_second(min(seconds, 3.0))
    finally:
        stack.stop()
    report(results, alone)


def _wait_for(port: int) -> None:
    probe = [sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"]
    for _ in range(50):
        if subprocess.run(probe, cwd=ROOT, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise SystemExit("The bare app did not start.")


def report(results: list[tuple[Ask, Result]], alone: float) -> None:
    bare = results[0][1].per_second
    print("| request | a second | median ms | p95 ms | times fewer than bare |")
    print("| --- | --- | --- | --- | --- |")
    for ask, result in results:
        figures = f"{result.per_second:,.0f} | {result.median_ms:.1f} | {result.p95_ms:.1f}"
        print(f"| {ask.name} | {figures} | x{bare / result.per_second:.1f} |")
    print(f"\nArgon2 alone, one thread: {alone:.1f} a second.")


if __name__ == "__main__":
    main()
