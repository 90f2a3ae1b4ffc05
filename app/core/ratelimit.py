"""Named limits counted in Redis, shared by all processes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import g, has_request_context
from redis.exceptions import RedisError

from app.core.config import get_settings
from app.core.errors import RateLimited, Unavailable
from app.core.logs import get_logger
from app.core.redis import get_redis

log = get_logger()
_RATE = re.compile(r"(\d+)/(\d*)(second|minute|hour|day)s?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Limit:
    """`rate` as in "10/minute" or "8/5minutes"; `fails_closed` refuses when Redis is away, others let through."""

    rate: str
    message: str
    fails_closed: bool = False

    @property
    def uses(self) -> int:
        """How many uses the window takes, RATE_LIMIT_FACTOR applied; never none at all."""
        return max(1, math.floor(int(self._parts[1]) * get_settings().rate_limit_factor))

    @property
    def window_seconds(self) -> int:
        return int(self._parts[2] or 1) * _SECONDS[self._parts[3]]

    @property
    def _parts(self) -> re.Match[str]:
        parts = _RATE.fullmatch(self.rate)
        if parts is None:
            raise ValueError(f"{self.rate} is not a rate such as 10/minute")
        return parts


LIMITS = {
    "login.account": Limit("8/5minutes", "Too many sign-in attempts for this account. Wait a little.", True),
    "login.address": Limit("40/5minutes", "Too many sign-in attempts from here. Wait a little.", True),
    "mfa.account": Limit("8/5minutes", "Too many codes were tried for this account. Wait a little.", True),
    "token.refresh": Limit("60/minute", "Too many refreshes of tokens. Wait a little.", True),
    "password.change": Limit("10/5minutes", "Too many attempts to change the password. Wait a little."),
    "password.confirm": Limit("10/5minutes", "Too many passwords were tried for this account. Wait a little.", True),
    "password.forgot.account": Limit("5/hour", "Several links were asked for already. Try again later."),
    "password.forgot.address": Limit("10/hour", "Several links were asked for from here. Try again later."),
    "password.reset.address": Limit("30/hour", "Many attempts to set a password from here. Try again later."),
    "password.strength": Limit("60/minute", "Too many passwords were looked at from here. Wait a moment."),
    "signup.address": Limit("60/hour", "Too many sign-ups from here. Try again later."),
    "user.create": Limit("100/hour", "Many users were made in the last hour. Try again later."),
    "invite": Limit("100/hour", "Many invitations were sent in the last hour. Try again later."),
    "api_key.create": Limit("60/hour", "Many API keys were made in the last hour. Try again later."),
    "webhook.create": Limit("60/hour", "Many webhooks were made in the last hour. Try again later."),
    "webhook.send": Limit("120/minute", "Many messages were sent again in the last minute. Wait a moment."),
    "audience.create": Limit("60/hour", "Many audiences were made in the last hour. Try again later."),
    "message.reply": Limit("60/minute", "Many answers were sent in the last minute. Wait a moment."),
    "link.guess": Limit("30/minute", "Too many links that lead nowhere were tried from here. Wait a little."),
    "chat.send": Limit("60/minute", "You are writing faster than anyone can answer. Wait a moment."),
    "simulation.create": Limit("60/hour", "Many simulations were started in the last hour. Try again later."),
    "account.check": Limit("20/minute", "Many connection tests in the last minute. Wait a moment."),
    "ai.check": Limit("20/minute", "Many connection tests in the last minute. Wait a moment."),
    "generate": Limit("60/hour", "Many reports were asked for in the last hour. Try again later."),
}


@dataclass(frozen=True)
class Use:
    """One use of the named limit by `key`: an account, an address, a credential."""

    name: str
    limit: Limit
    key: str

    @property
    def store_key(self) -> str:
        return f"limit:{self.name}:{self.key}"


@dataclass(frozen=True)
class Figures:
    """Where a limit stands; `reset_ms` (epoch) is when its oldest use is forgotten and another one fits."""

    limit: int
    remaining: int
    reset_ms: int

    def tightness(self) -> tuple[float, int]:
        """What is nearer to its end is tighter; of two that are used up, the one that lasts longer."""
        return (-self.remaining / self.limit, self.reset_ms)


# Each key is a list of the moments of its uses, oldest first, so a window slides exactly. All limits of a call are
# looked at before any is counted: a call that one of them refuses uses up none of the others.
_COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local used, is_refused = {}, false
for i, key in ipairs(KEYS) do
  local oldest = redis.call('LINDEX', key, 0)
  while oldest and now - oldest >= tonumber(ARGV[2 * i]) do
    redis.call('LPOP', key)
    oldest = redis.call('LINDEX', key, 0)
  end
  used[i] = redis.call('LLEN', key)
  is_refused = is_refused or used[i] >= tonumber(ARGV[2 * i - 1])
end
local answer = {now, is_refused and 1 or 0}
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  if not is_refused then
    redis.call('RPUSH', key, string.format('%.0f', now))
    redis.call('PEXPIRE', key, window)
    used[i] = used[i] + 1
  end
  local first = redis.call('LINDEX', key, math.max(0, used[i] - limit)) or now
  table.insert(answer, used[i])
  table.insert(answer, first + window)
end
return answer
"""


@lru_cache(maxsize=1)
def _script() -> Any:
    return get_redis().register_script(_COUNT)


def check(name: str, key: str) -> None:
    """Count one use of the named limit for `key`; raises RateLimited with the seconds to wait."""
    count([Use(name, LIMITS[name], key)])


def count(uses: list[Use]) -> None:
    """Count one use of each limit in one round trip, or none and raise RateLimited when one of them is used up.

    Without Redis the uses pass and a warning is logged, unless one of the limits fails closed.
    """
    numbers = [number for use in uses for number in (use.limit.uses, use.limit.window_seconds * 1000)]
    try:
        now, is_refused, *rows = _script()(keys=[use.store_key for use in uses], args=numbers)
    except (RedisError, OSError) as error:
        log.warning("rate_limits_unavailable", limits=[use.name for use in uses], reason=str(error))
        if any(use.limit.fails_closed for use in uses):
            raise Unavailable("Signing in is not possible for a moment. Please try again.") from None
        return
    figures = [
        Figures(use.limit.uses, max(0, use.limit.uses - used), reset_ms)
        for use, used, reset_ms in zip(uses, rows[::2], rows[1::2], strict=True)
    ]
    tightest = max(figures, key=Figures.tightness)
    _show(tightest)
    if is_refused:
        message = uses[figures.index(tightest)].limit.message
        raise RateLimited(message, retry_after=max(1, math.ceil((tightest.reset_ms - now) / 1000)))


def _show(figures: Figures) -> None:
    """Keep the tightest limit of a request for the headers of its answer."""
    if has_request_context():
        shown: Figures = g.get("limit_figures", figures)
        g.limit_figures = max(shown, figures, key=Figures.tightness)


def headers() -> dict[str, str]:
    """Where the tightest limit of this request stands; nothing when none was counted."""
    figures: Figures | None = g.get("limit_figures")
    if figures is None:
        return {}
    return {
        "X-Rate-Limit-Limit": str(figures.limit),
        "X-Rate-Limit-Remaining": str(figures.remaining),
        "X-Rate-Limit-Reset": str(math.ceil(figures.reset_ms / 1000)),
    }


def clear(name: str, key: str) -> None:
    """Forget the uses of a limit, after a success that makes them moot."""
    try:
        get_redis().delete(Use(name, LIMITS[name], key).store_key)
    except (RedisError, OSError) as error:
        log.warning("rate_limits_unavailable", limits=[name], reason=str(error))
