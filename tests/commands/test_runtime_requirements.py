"""requirements.txt alone: every process of the product starts with it, and nothing of the tests' helps."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from rq.cron import CronScheduler

from tests.commands.house import PATIENCE
from tests.commands.runtime import asked_for, closure, make_environment, runtime_requirements
from tests.support.valkey import free_port

pytestmark = pytest.mark.xdist_group("commands")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("alone") / "venv", runtime_requirements())


def can_import(environment: Path, module: str) -> bool:
    done = subprocess.run([environment / "bin/python", "-c", f"import {module}"], capture_output=True, text=True)
    assert not done.returncode or "No module named" in done.stderr, done.stderr
    return done.returncode == 0


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def sandbox_answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_control/received", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


def store_of(folder: Path) -> Redis:
    """The store of a running product, by what it tells operators."""
    told = dict(line.split("=", 1) for line in (folder / "run.env").read_text().splitlines())
    return Redis.from_url(told["REDIS_URL"].strip("'"))


@pytest.mark.slow
def test_web_workers_scheduler_and_sandbox_start_with_the_runtime_requirements_alone(start, alone):
    port = free_port()
    run = start("data", sandbox_port=port, environment=alone)
    run.wait_until_ready()
    assert run.get("/readyz") == 200
    wait_for(lambda: sandbox_answers(port))
    with store_of(run.folder) as store:
        wait_for(lambda: CronScheduler.all(store))
    assert "ended unexpectedly" not in run.said


def test_nothing_the_tests_alone_require_is_there(alone):
    assert not can_import(alone, "pytest")
    assert can_import(alone, "gunicorn.workers.ggevent")


def test_what_no_requirement_asks_for_is_missed(tmp_path):
    fewer = "\n".join(line for line in runtime_requirements().splitlines() if not line.startswith("packaging"))
    assert "packaging" not in closure(asked_for(fewer))
    assert not can_import(make_environment(tmp_path / "venv", fewer), "gunicorn.workers.ggevent")
