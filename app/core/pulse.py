"""Which workers live: each says so every few seconds, from a thread, whatever its job is doing."""

from __future__ import annotations

import threading
import time

from redis.exceptions import RedisError

from app.core.logs import get_logger
from app.core.redis import get_redis

log = get_logger()
KEY = "workers:seen"
BEAT_SECONDS = 3.0
ALIVE_SECONDS = 12.0


def beat(name: str) -> None:
    """Say that this worker lives; forget those that have been silent for long."""
    now = time.time()
    redis = get_redis()
    redis.zadd(KEY, {name: now})
    redis.zremrangebyscore(KEY, 0, now - 10 * ALIVE_SECONDS)


def leave(name: str) -> None:
    """Say that this worker stopped of its own will."""
    get_redis().zrem(KEY, name)


def count_alive() -> int:
    """How many workers spoke within the last seconds."""
    return int(get_redis().zcount(KEY, time.time() - ALIVE_SECONDS, "+inf"))


def start(name: str) -> threading.Event:
    """Beat from a thread until the returned event is set."""
    stop = threading.Event()
    threading.Thread(target=_go_on, args=(name, stop), name="worker-pulse", daemon=True).start()
    return stop


def _go_on(name: str, stop: threading.Event) -> None:
    while True:
        try:
            beat(name)
        except RedisError as error:
            log.warning("pulse_missed", reason=str(error))
        if stop.wait(BEAT_SECONDS):
            return
