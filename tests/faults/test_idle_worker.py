"""A worker that has nothing to do goes on waiting."""

from __future__ import annotations

import time

import pytest

from tests.support.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]
IDLE_SECONDS = 22  # longer than the client of the store waits for an ordinary answer, three times


SPOKE_BEFORE = """
from app.core.redis import get_redis
from app.worker import main
pool = get_redis().connection_pool
for used in [pool.get_connection() for _ in range(4)]:
    pool.release(used)
main()
"""


def test_a_worker_without_work_stays_and_stops_when_it_is_told_to(tmp_path):
    stack = Stack(tmp_path)
    stack.prepare()
    try:
        stack.run("worker0", "-c", SPOKE_BEFORE)
        process = stack.processes["worker0"]
        deadline = time.monotonic() + IDLE_SECONDS + 4  # to load
        while time.monotonic() < deadline:
            assert process.poll() is None, (tmp_path / "worker0.log").read_text()
            time.sleep(0.2)
        process.terminate()
        assert stack.processes.pop("worker0").wait(15) == 0
    finally:
        stack.stop()
