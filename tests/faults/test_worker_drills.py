"""Workers that are asked to stop, and workers that come back from the dead."""

from __future__ import annotations

import os
import signal
import time

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]


def is_whole(picture) -> bool:
    segments = picture["insight"]["segments"]
    names = [person["name"] for segment in segments for person in segment["personas"]]
    return (
        picture["state"] == "ready"
        and sum(segment["size_percentage"] for segment in segments) == 100
        and all(segment["personas"] for segment in segments)
        and len(names) == len(set(names))
    )


def step_of(picture, name: str) -> str:
    return next(step["state"] for step in picture["steps"] if step["name"] == name)


@pytest.fixture
def caught_in_research(sandbox, new_audience, picture, wait_until) -> int:
    """An audience whose first worker waits three seconds for its research."""
    sandbox.control.fault("anthropic", "slow", seconds=3, path="/v1/messages", times=1)
    audience_id = new_audience()
    wait_until(lambda: step_of(picture(audience_id), "research") == "running")
    return audience_id


def test_a_worker_asked_to_stop_gives_its_job_back_and_the_next_one_goes_on(
    slow_stack, api, caught_in_research, sandbox, picture, wait_until
):
    worker = slow_stack.processes.pop("worker0")
    worker.terminate()
    assert worker.wait(15) == 0
    assert step_of(picture(caught_in_research), "research") == "done"  # the step it was at was finished and kept
    assert step_of(picture(caught_in_research), "personas") == "waiting"
    ready = api.get("/readyz")
    assert (ready.status, ready.json()["checks"]["worker"]) == (503, "missing")
    slow_stack.start_worker("worker1")
    assert is_whole(wait_until(lambda: (p := picture(caught_in_research))["state"] == "ready" and p))
    research = [r for r in sandbox.control.received("anthropic") if "Research the market" in str(r["body"])]
    assert len(research) == 1


def test_a_worker_that_froze_and_woke_up_repeats_nothing_another_has_done(
    slow_stack, caught_in_research, picture, wait_until
):
    frozen = slow_stack.processes["worker0"]
    os.kill(frozen.pid, signal.SIGSTOP)
    slow_stack.start_worker("worker1")
    try:
        wait_until(lambda: picture(caught_in_research)["state"] == "ready")
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    before = picture(caught_in_research)
    time.sleep(3)  # the woken worker finds its answer, and that the job is not its own any more
    assert picture(caught_in_research) == before
    assert is_whole(before)
    assert frozen.poll() is None
