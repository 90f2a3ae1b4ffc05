"""Workers killed at random moments of one campaign: everyone gets one message all the same."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.messaging.drills.world import assert_each_once, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]
PEOPLE, KILLS = 400, 20


def test_twenty_workers_killed_at_random_moments_cost_nobody_a_message_and_send_nobody_two(make_world, sandbox):
    world, chance = make_world(), random.Random(11)
    sandbox.control.fault("twilio", "slow", path="*/Messages.json", rate=0.5, seconds=0.05)  # there to be caught at
    campaign_id = world.ask("prepare", people=PEOPLE, rate=80)
    world.start_workers(2)
    world.start_ticker()
    world.ask("launch", campaign_id=campaign_id)
    doubted = 0
    for number in range(KILLS):
        aim = world.sent() + chance.randint(1, PEOPLE // KILLS - 8)
        wait_until(lambda aim=aim: world.sent() >= aim, 60, every=chance.uniform(0.002, 0.02))
        world.kill_worker(chance.choice(sorted(world.workers)))
        world.start_worker(f"worker{number + 2}")
        doubted = max(doubted, world.ask("count", what="in_doubt"))
    assert world.sent() < PEOPLE
    assert_each_once(world, campaign_id, PEOPLE)
    assert doubted > 0, "no worker was caught with a message in its hands"


def freeze_between_two_transactions(world, name: str) -> int:
    """Stop it where it holds no lock: one that does holds up everybody on SQLite."""
    pid = world.workers[name]
    while True:
        os.kill(pid, signal.SIGSTOP)
        with closing(sqlite3.connect(world.folder / "data" / "parley.db", timeout=0, isolation_level=None)) as link:
            try:
                link.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.01)
            else:
                link.execute("ROLLBACK")
                return pid


def test_a_worker_that_froze_with_messages_in_its_hands_sends_none_of_them_when_it_wakes(make_world):
    world, people = make_world(), 120
    campaign_id = world.ask("prepare", people=people, rate=50)
    world.start_workers(2)
    world.start_ticker()
    world.ask("launch", campaign_id=campaign_id)
    wait_until(lambda: world.sent() >= 20)
    frozen = freeze_between_two_transactions(world, "worker0")
    try:
        wait_until(lambda: world.ask("count", what="in_doubt"), 20)
        assert_each_once(world, campaign_id, people)
    finally:
        os.kill(frozen, signal.SIGCONT)
    time.sleep(3)
    assert world.sent() == people
    assert_each_once(world, campaign_id, people)
