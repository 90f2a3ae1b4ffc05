"""What the gate has the store do in one piece: each script is done whole, and nobody else's work comes in between."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from app.core.config import get_settings

SILENT_SECONDS = 2.0
EPOCH = "msg:epoch"  # always the first key of a script that asks for it

# `now` in microseconds, `epoch` the store's name for as long as it loses nothing, `born` when it was first called so.
# A server that starts, or takes over from another, gives itself a new replication id; one that is emptied loses the
# key. Where INFO is not to be had, the second has to do.
_PRELUDE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local told = redis.pcall('INFO', 'replication')
local id = type(told) == 'string' and string.match(told, 'master_replid:(%w+)') or 'unknown'
local epoch = redis.call('GET', KEYS[1]) or ''
if string.match(epoch, '^%w+') ~= id then
  epoch = id .. ':' .. string.format('%.0f', now)
  redis.call('SET', KEYS[1], epoch)
end
local born = tonumber(string.match(epoch, '%d+$'))
"""

# KEYS: the epoch, paces, then a stop and a flight key for each number. ARGV: how many paces, each one's interval in
# microseconds, how late is forgiven, milliseconds a flight is remembered, the epoch this began in, how far ahead a turn
# may be taken. Gives microseconds to wait, then 1 (go) or 2 (stopped) for each number that was decided; -1 alone when
# the epoch is another.
_TAKE = """
local paces = tonumber(ARGV[1])
local late, remembered = tonumber(ARGV[paces + 2]), ARGV[paces + 3]
if epoch ~= ARGV[paces + 4] then return {-1} end
local ahead = tonumber(ARGV[paces + 5])
local tats, answer = {}, {0}
for i = 1, paces do
  tats[i] = math.max(tonumber(redis.call('GET', KEYS[i + 1]) or '0'), now - late)
end
for n = paces + 2, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[n]) == 1 then
    table.insert(answer, 2)
  else
    local wait = 0
    for i = 1, paces do wait = math.max(wait, tats[i] - now) end
    answer[1] = wait
    if wait > ahead then break end
    for i = 1, paces do tats[i] = tats[i] + tonumber(ARGV[i + 1]) end
    redis.call('INCR', KEYS[n + 1])
    redis.call('PEXPIRE', KEYS[n + 1], remembered)
    table.insert(answer, 1)
  end
end
for i = 1, paces do
  local lasts = math.ceil(math.max(0, tats[i] - now) / 1000) + 10000
  redis.call('SET', KEYS[i + 1], string.format('%.0f', tats[i]), 'PX', lasts)
end
return answer
"""

# KEYS: a pace. ARGV: microseconds to rest. A longer rest that was asked for before stays.
_REST = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local rest = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.0f', rest), 'PX', math.ceil((rest - now) / 1000) + 10000)
"""

# KEYS: a flight key for each message. The last one of a number takes the key with it.
_LAND = """
for i = 1, #KEYS do
  if redis.call('DECR', KEYS[i]) <= 0 then redis.call('DEL', KEYS[i]) end
end
"""

# KEYS: the epoch, then stop keys. ARGV: when it was said in microseconds, seconds to remember it. Gives microseconds
# since the epoch began.
_CLOSE = """
for i = 2, #KEYS do
  local said = math.max(tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[i]) or '0'))
  redis.call('SET', KEYS[i], string.format('%.0f', said), 'EX', ARGV[2])
end
return now - born
"""

# KEYS: stop keys. ARGV: when START was said. A STOP said later stays.
_REOPEN = """
for i = 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or '0') <= tonumber(ARGV[1]) then redis.call('DEL', KEYS[i]) end
end
"""

_TEXTS = {
    "epoch": _PRELUDE + "return {epoch}",
    "take": _PRELUDE + _TAKE,
    "rest": _REST,
    "land": _LAND,
    "close": _PRELUDE + _CLOSE,
    "reopen": _REOPEN,
}


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """A client that gives a store up that says nothing: whoever answers a STOP, and whoever sends, has no time to wait.
    A step that may have been done is not asked for again."""
    return redis.Redis.from_url(
        get_settings().redis_url,
        max_connections=500,
        health_check_interval=30,
        socket_connect_timeout=SILENT_SECONDS,
        socket_timeout=SILENT_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
    )


@lru_cache(maxsize=len(_TEXTS))
def _script(name: str) -> Any:
    return client().register_script(_TEXTS[name])


def run(name: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
    """What the script of this name answers: one round trip. Raises RedisError."""
    return _script(name)(keys=keys, args=args)
