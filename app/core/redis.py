"""One Redis connection pool per process."""

from __future__ import annotations

from functools import lru_cache

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from app.core.config import get_settings

SILENT_SECONDS = 5.0


@lru_cache(maxsize=1)
def get_hub_redis() -> redis.Redis:
    """A client that never reconnects by itself: a subscription that was interrupted must say so."""
    return redis.Redis.from_url(
        get_settings().redis_url, max_connections=4, socket_connect_timeout=3, retry=Retry(NoBackoff(), 0)
    )


@lru_cache(maxsize=1)
def get_redis() -> redis.Redis:
    """The shared client; answers are bytes, as RQ needs. A store that says nothing is given up after some seconds."""
    return new_redis(socket_timeout=SILENT_SECONDS)


def new_redis(socket_timeout: float | None) -> redis.Redis:
    """A client with connections of its own, which wait this long for an answer, once: who said nothing may have done
    what was asked, and asking again would take as long once more."""
    return redis.Redis.from_url(
        get_settings().redis_url,
        max_connections=500,
        health_check_interval=30,
        socket_connect_timeout=3,
        socket_timeout=socket_timeout,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 2, supported_errors=(Disconnected,)),
    )
