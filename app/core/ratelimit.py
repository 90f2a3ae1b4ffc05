"""Named limits counted in Redis, shared by all processes."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from app.core.config import get_settings
from app.core.errors import RateLimited, Unavailable
from app.core.logs import get_logger
from app.core.redis import get_redis

log = get_logger()


@dataclass(frozen=True)
class Limit:
    """`rate` as in "10/minute"; `fails_closed` refuses when Redis is away (sign-in), others let through."""

    rate: str
    message: str
    fails_closed: bool = False

    @property
    def item(self) -> RateLimitItem:
        return parse(self.rate)


LIMITS = {
    "login.account": Limit("8/5minutes", "Too many sign-in attempts for this account. Wait a little.", True),
    "login.address": Limit("40/5minutes", "Too many sign-in attempts from here. Wait a little.", True),
    "password.change": Limit("10/5minutes", "Too many attempts to change the password. Wait a little."),
    "signup.address": Limit("60/hour", "Too many sign-ups from here. Try again later."),
    "audience.create": Limit("60/hour", "Many audiences were made in the last hour. Try again later."),
    "chat.send": Limit("60/minute", "You are writing faster than anyone can answer. Wait a moment."),
    "simulation.create": Limit("60/hour", "Many simulations were started in the last hour. Try again later."),
    "ai.check": Limit("20/minute", "Many connection tests in the last minute. Wait a moment."),
    "generate": Limit("60/hour", "Many reports were asked for in the last hour. Try again later."),
}


@lru_cache(maxsize=1)
def _limiter() -> MovingWindowRateLimiter:
    storage = storage_from_string(
        get_settings().redis_url, wrap_exceptions=True, connection_pool=get_redis().connection_pool
    )
    return MovingWindowRateLimiter(storage)


def check(name: str, key: str) -> None:
    """Count one use of the named limit for `key`; raises RateLimited with the seconds to wait."""
    limit = LIMITS[name]
    try:
        if _limiter().hit(limit.item, name, key):
            return
        reset_at = _limiter().get_window_stats(limit.item, name, key).reset_time
    except (StorageError, RedisError) as error:
        log.warning("rate_limits_unavailable", limit=name, reason=str(error))
        if limit.fails_closed:
            raise Unavailable("Signing in is not possible for a moment. Please try again.") from None
        return
    raise RateLimited(limit.message, retry_after=max(1, math.ceil(reset_at - time.time())))


def clear(name: str, key: str) -> None:
    """Forget the uses of a limit, after a success that makes them moot."""
    try:
        _limiter().clear(LIMITS[name].item, name, key)
    except (StorageError, RedisError) as error:
        log.warning("rate_limits_unavailable", limit=name, reason=str(error))
