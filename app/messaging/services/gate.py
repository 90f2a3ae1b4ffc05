"""The last gate before a message leaves: pace, kept by all workers together, and nobody who said STOP.

A sender's or a campaign's pace is one number in the store, the moment its next message may leave (GCRA), so messages
leave evenly and no two workers send more than one. What is in the air to a number is counted, so that who answers a
STOP can wait until nothing is. Without the store nothing is sent: a pace nobody keeps is none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from redis.exceptions import RedisError

from app.core.logs import get_logger
from app.core.redis import get_redis
from app.core.tenancy import current_tenant_id

log = get_logger()
LATE_US = 100_000  # how far a worker that woke late may catch up
FLIGHT_MS = 60_000  # longer than any call to a provider may take
STOPPED_SECONDS = 86_400
WAIT_SECONDS = 10.0

# KEYS: paces, then a stop and a flight key for each number. ARGV: how many paces, each one's interval in microseconds,
# how late is forgiven, milliseconds a flight is remembered. Gives microseconds to wait, then 1 (go) or 2 (stopped) for
# each number that was decided.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local paces = tonumber(ARGV[1])
local late, remembered = tonumber(ARGV[paces + 2]), ARGV[paces + 3]
local tats, answer = {}, {0}
for i = 1, paces do
  tats[i] = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now - late)
end
for n = paces + 1, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[n]) == 1 then
    table.insert(answer, 2)
  else
    local wait = 0
    for i = 1, paces do wait = math.max(wait, tats[i] - now) end
    if wait > 0 then
      answer[1] = wait
      break
    end
    for i = 1, paces do tats[i] = tats[i] + tonumber(ARGV[i + 1]) end
    redis.call('INCR', KEYS[n + 1])
    redis.call('PEXPIRE', KEYS[n + 1], remembered)
    table.insert(answer, 1)
  end
end
for i = 1, paces do
  redis.call('SET', KEYS[i], string.format('%.0f', tats[i]), 'PX', math.ceil(math.max(0, tats[i] - now) / 1000) + 10000)
end
return answer
"""


@dataclass(frozen=True)
class Pace:
    """So many messages a second for what `name` says: a campaign, a sender. 0: as many as there are."""

    name: str
    per_second: float


@dataclass(frozen=True)
class Decision:
    """`goes[i]` for the first numbers asked about: True it may leave now, False it said STOP. The others wait."""

    goes: list[bool]
    wait_seconds: float


@lru_cache(maxsize=1)
def _script() -> Any:
    return get_redis().register_script(_TAKE)


def take(paces: Sequence[Pace], channel: str, numbers: Sequence[str]) -> Decision:
    """Let as many of the numbers go, in their order, as the paces allow now. One round trip; raises RedisError.

    Each that goes must be given back with `land` once the provider has answered.
    """
    keys = [f"msg:pace:{pace.name}" for pace in paces]
    for number in numbers:
        keys += [_stop_key(channel, number), _flight_key(channel, number)]
    # One without a pace is asked too: the provider may have asked for a rest.
    intervals = [round(1_000_000 / pace.per_second) if pace.per_second > 0 else 0 for pace in paces]
    wait, *decided = _script()(keys=keys, args=[len(paces), *intervals, LATE_US, FLIGHT_MS])
    return Decision([one == 1 for one in decided], int(wait) / 1_000_000)


def land(channel: str, numbers: Sequence[str]) -> None:
    """These are no longer in the air. A store that is away forgets them by itself after a minute."""
    if not numbers:
        return
    try:
        with get_redis().pipeline(transaction=False) as pipe:
            for number in numbers:
                pipe.decr(_flight_key(channel, number))
            left = pipe.execute()
            for number, count in zip(numbers, left, strict=True):
                if int(count) <= 0:
                    pipe.delete(_flight_key(channel, number))
            pipe.execute()
    except (RedisError, OSError) as error:
        log.warning("gate_not_told", reason=str(error))


def hold_back(pace: Pace, seconds: float) -> None:
    """Let nothing of this pace leave for a while: the provider asked for it."""
    now_s, now_us = get_redis().time()
    until = int(now_s) * 1_000_000 + int(now_us) + round(seconds * 1_000_000)
    get_redis().set(f"msg:pace:{pace.name}", until, px=round(seconds * 1000) + 10_000)


def stop(channel: str, number: str) -> bool:
    """Nothing leaves for this number from now on; returns once nothing is in the air to it either.

    To be called after the withdrawal is committed. False when something was still in the air after ten seconds, or
    when the store is away (nothing leaves without it, and whoever sends looks at the withdrawal again when it is back).
    """
    try:
        get_redis().set(_stop_key(channel, number), 1, ex=STOPPED_SECONDS)
        deadline = time.monotonic() + WAIT_SECONDS
        while int(get_redis().get(_flight_key(channel, number)) or 0) > 0:
            if time.monotonic() > deadline:
                log.warning("stop_answered_with_a_message_in_the_air", channel=channel)
                return False
            time.sleep(0.01)
    except (RedisError, OSError) as error:
        log.warning("gate_not_told", reason=str(error))
        return False
    return True


def reopen(channel: str, number: str) -> None:
    """Somebody who had said STOP said START."""
    try:
        get_redis().delete(_stop_key(channel, number))
    except (RedisError, OSError) as error:
        log.warning("gate_not_told", reason=str(error))


def _stop_key(channel: str, number: str) -> str:
    return f"msg:stop:{current_tenant_id()}:{channel}:{number}"


def _flight_key(channel: str, number: str) -> str:
    return f"msg:flight:{current_tenant_id()}:{channel}:{number}"
