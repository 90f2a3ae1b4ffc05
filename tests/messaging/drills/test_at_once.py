"""Two who trigger at the same moment, and many who say STOP while messages leave."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import redis

from tests.messaging.campaign import number_of
from tests.messaging.drills.world import World, assert_each_once, wait_until
from tests.support.valkey import free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]


def post(url: str, key: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, b"{}", {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def wait_for_web(port: int) -> None:
    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(answers, 60, every=0.1)


def test_two_triggers_at_once_in_two_processes_are_one_run(make_world):
    world, people = make_world(), 60
    campaign_id = world.ask("prepare", people=people, rate=100)
    key, uuid = world.ask("key"), world.ask("uuid", campaign_id=campaign_id)
    ports = (world.port, free_port())
    for number, port in enumerate(ports):
        world.start_web(f"web{number}", port)
    world.start_workers(2)
    world.start_ticker()
    for port in ports:
        wait_for_web(port)
    start = threading.Barrier(4)

    def trigger(port: int) -> tuple[int, dict[str, Any]]:
        start.wait(10)
        return post(f"http://127.0.0.1:{port}/messaging/api/v1/campaigns/{uuid}/trigger", key)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(trigger, ports * 2))
    assert sorted(status for status, _ in answers) == [200, 422, 422, 422], answers
    assert_each_once(world, campaign_id, people)


@pytest.mark.parametrize("store", ["stays", "is emptied"])
def test_after_a_stop_is_answered_nothing_arrives_for_that_number(make_world, sandbox, store):
    world, people = make_world(), 400
    sandbox.control.fault("twilio", "slow", path="*/Messages.json", rate=0.5, seconds=0.1)  # some are in the air
    campaign_id = world.ask("prepare", people=people, rate=40)
    world.start_web()
    world.start_workers(2)
    world.start_ticker()
    wait_for_web(world.port)
    world.ask("launch", campaign_id=campaign_id)
    wait_until(lambda: world.sent() >= 20, 60)
    chosen = [number_of(one) for one in range(world.sent() - 5, people, 8)]  # sent, about to be, and later ones
    with forgetful(world) if store == "is emptied" else nullcontext(), ThreadPoolExecutor(8) as pool:
        arrived = dict(zip(chosen, pool.map(lambda one: say_stop(world, one), chosen), strict=True))
    found = world.complete(campaign_id)
    time.sleep(0.5)
    at_the_end = handed_over(world)
    assert {one: at_the_end[one] for one in chosen} == arrived
    stopped = sum(count == 0 for count in arrived.values())
    assert stopped > 10
    said = found["messages"]
    assert said["stop"] == stopped
    assert said["stop"] + said.get("opted_out", 0) + world.sent() == people
    assert found["adds_up"]
    assert world.ask("count", what="stops") == len(chosen)


@contextmanager
def forgetful(world: World) -> Iterator[None]:
    """The store loses everything again and again meanwhile."""
    is_over, client = threading.Event(), redis.Redis.from_url(world.store.url)

    def forget() -> None:
        while not is_over.wait(0.3):
            client.flushall()

    thread = threading.Thread(target=forget)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def say_stop(world: World, number: str) -> int:
    """By the signed webhook, as the provider would; how many messages had arrived for it when that was answered."""
    answer = world.sandbox.control.write(number, "STOP")
    assert answer["status"] == 200, answer
    return handed_over(world)[number]


def handed_over(world: World) -> Counter[str]:
    """By number: what was handed to the provider, those among it that it refused after the STOP."""
    calls = world.sandbox.control.received("twilio")
    return Counter(one["body"]["To"] for one in calls if one["method"] == "POST" and "Messages" in one["path"])
