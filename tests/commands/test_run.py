"""bin/run: what it brings up, what it refuses, and how it ends. Each test starts the real thing."""

from __future__ import annotations

import json
import os
import signal
import stat
import time

import pytest

from tests.commands.house import gone

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("commands")]


def test_run_answers_recovers_from_a_crash_and_stops_the_store_last(start, tmp_path):
    link = tmp_path / "parley-here"
    link.symlink_to(start.project / "bin/run")
    run = start("data", command=link)
    run.wait_until_ready()
    assert (run.get("/healthz"), run.get("/readyz")) == (200, 200)
    assert stat.S_IMODE((run.folder / "secrets.env").stat().st_mode) == 0o600

    worker = next(one["pid"] for one in json.loads((run.folder / "run.json").read_text()) if one["name"] == "worker-1")
    os.kill(worker, signal.SIGKILL)
    run.wait_for("worker-1  ended unexpectedly (exit -9)")
    run.wait_for("worker-1  started again")
    children = run.children()

    assert run.stop(signal.SIGTERM) == 0
    stopping = [line.split("Stopping ")[1] for line in run.lines if "Stopping " in line]
    assert stopping[-1] == "store ..."
    assert stopping[0].startswith("web, worker-1, worker-2, worker-3, scheduler")
    assert gone(children, within=1)
    assert "Saving the final" in (run.folder / "logs/store.log").read_text()


def test_two_run_side_by_side_and_a_killed_one_leaves_nothing_behind(start):
    one, other = start("one"), start("other")
    one.wait_until_ready()
    other.wait_until_ready()
    orphans = one.children()
    one.process.kill()
    assert gone(orphans, within=25), one.said
    assert other.get("/readyz") == 200

    again = start("one", port=one.port)
    again.wait_until_ready()
    assert again.get("/readyz") == 200
    assert other.stop(signal.SIGINT) == 0
    again.process.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    asked = time.monotonic()
    assert again.stop(signal.SIGHUP) == 0  # the second time means: at once
    assert time.monotonic() - asked < 15


def test_a_start_that_was_interrupted_can_be_started_again(start):
    run = start("data")
    run.wait_for("Migrating the database")
    assert run.stop(signal.SIGINT) == 0
    again = start("data")
    again.wait_until_ready()
    refused = start("data")
    assert refused.wait() == 1
    assert "already uses" in refused.said
    blocked = start("elsewhere", port=again.port)
    assert blocked.wait() == 1
    assert f"Port {again.port} cannot be used" in blocked.said
    assert again.stop() == 0
