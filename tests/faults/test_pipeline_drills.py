"""What is pulled out from under the pipeline, and that the audience completes by itself all the same."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]


def step_states(picture):
    return {step["name"]: step["state"] for step in picture["steps"]}


def assert_whole(picture):
    """Each step once: shares add up, every segment has its people, nobody twice."""
    assert picture["state"] == "ready"
    segments = picture["insight"]["segments"]
    assert sum(segment["size_percentage"] for segment in segments) == 100
    names = [person["name"] for segment in segments for person in segment["personas"]]
    assert all(segment["personas"] for segment in segments)
    assert len(segments) == len({segment["name"] for segment in segments})
    assert len(names) == len(set(names))


def test_a_worker_killed_in_the_middle_costs_no_step_and_repeats_none(
    slow_stack, sandbox, new_audience, picture, wait_until
):
    asked = "Cut this audience into three to five segments"
    sandbox.control.fault("anthropic", "slow", seconds=4, path="/v1/messages", match=asked, times=1)
    audience_id = new_audience()
    wait_until(lambda: any(asked in str(r["body"]) for r in sandbox.control.received("anthropic")))
    assert step_states(picture(audience_id))["segments"] == "running"
    before = len(sandbox.control.received("anthropic"))
    slow_stack.kill("worker0")
    slow_stack.start_worker("worker1")
    made = wait_until(lambda: (p := picture(audience_id))["state"] == "ready" and p)
    assert_whole(made)
    assert len(sandbox.control.received("anthropic")) > before
    research = [r for r in sandbox.control.received("anthropic") if "Research the market" in str(r["body"])]
    assert len(research) == 1


def test_a_store_that_is_dropped_and_comes_back_empty_loses_no_audience(
    slow_stack, sandbox, new_audience, picture, wait_until
):
    sandbox.control.fault("anthropic", "slow", seconds=2, path="/v1/messages", times=1)
    first = new_audience()
    slow_stack.store.stop()
    second = new_audience()  # the web answers and keeps the row, with nobody to carry it
    assert picture(second)["state"] == "queued"
    slow_stack.store.start()
    for audience_id in (first, second):
        assert_whole(wait_until(lambda a=audience_id: (p := picture(a))["state"] == "ready" and p, 60))


def test_deleting_an_audience_while_it_is_made_stops_its_job_quietly(
    slow_stack, sandbox, api, new_audience, picture, wait_until
):
    sandbox.control.fault("anthropic", "slow", seconds=2, path="/v1/messages", times=1)
    audience_id = new_audience()
    wait_until(lambda: step_states(picture(audience_id))["research"] == "running")
    assert api.delete(f"/audience/{audience_id}").ok
    other = new_audience()
    assert_whole(wait_until(lambda: (p := picture(other))["state"] == "ready" and p))
    assert api.get(f"/audience/{audience_id}").status == 404
    assert "job_failed" not in (slow_stack.folder / "worker0.log").read_text()
