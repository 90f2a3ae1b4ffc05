"""A store that takes connections and says nothing is given up by who asks it, once."""

from __future__ import annotations

import os
import signal
import time

import pytest
import redis

from app.core import redis as stores
from tests.support.valkey import Valkey


@pytest.fixture
def store(tmp_path, settings_override):
    made = Valkey(tmp_path)
    made.start()
    settings_override(redis_url=made.url)
    yield made
    assert made.process is not None
    os.kill(made.process.pid, signal.SIGCONT)
    made.stop()


def test_what_was_asked_of_a_silent_store_is_not_asked_again_when_it_may_have_been_done(store):
    client = stores.new_redis(socket_timeout=0.5)
    client.set("n", 0)
    os.kill(store.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(redis.exceptions.TimeoutError):
        client.incr("n")
    assert time.monotonic() - began < 1
    os.kill(store.process.pid, signal.SIGCONT)
    time.sleep(0.2)
    assert int(client.get("n")) == 1


def test_a_store_that_was_started_again_is_asked_over_a_new_connection(store):
    client = stores.new_redis(socket_timeout=2)
    client.set("n", 0)
    store.stop()
    store.start()
    assert client.incr("n") == 1
