"""Which providers rest after failing again and again; kept in Redis, so that all processes know.

Below the threshold failures only count. At the threshold the provider rests, longer each time; when the rest is over
the next call tries it again, and one more failure sends it back to rest at once.
"""

from __future__ import annotations

from redis.exceptions import RedisError

from app.ai.providers.base import Failure
from app.core.logs import get_logger
from app.core.redis import get_redis

log = get_logger()
THRESHOLD = 3
MEMORY_SECONDS = 600
FIRST_REST_SECONDS = 20
LONGEST_REST_SECONDS = 300
AT_ONCE = (Failure.CREDENTIALS, Failure.QUOTA)  # trying again within minutes cannot help
COUNTED = (Failure.TRANSIENT, Failure.CUT, Failure.RATE_LIMIT)


def note_failure(key: str, failure: Failure, reason: str) -> bool:
    """Count a failure of the client `key`; true when it rests from now on."""
    if failure not in AT_ONCE and failure not in COUNTED:
        return False
    try:
        store = get_redis()
        count = int(store.incr(_failures(key)))
        store.expire(_failures(key), MEMORY_SECONDS)
        if failure not in AT_ONCE and count < THRESHOLD:
            return False
        store.set(_resting(key), reason[:200], ex=_rest_seconds(failure, count))
        return True
    except RedisError as error:
        log.warning("ai_circuit_unavailable", reason=str(error))
        return False


def note_success(key: str) -> None:
    """Forget what went wrong before."""
    try:
        get_redis().delete(_failures(key), _resting(key))
    except RedisError as error:
        log.warning("ai_circuit_unavailable", reason=str(error))


def resting_because(key: str) -> str | None:
    """Why the client rests at the moment, or None when it may be asked."""
    try:
        reason = get_redis().get(_resting(key))
    except RedisError:
        return None
    return None if reason is None else bytes(reason).decode("utf-8", "replace")


def _rest_seconds(failure: Failure, count: int) -> int:
    if failure in AT_ONCE:
        return LONGEST_REST_SECONDS
    return int(min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2 ** min(count - THRESHOLD, 10)))


def _failures(key: str) -> str:
    return f"ai:circuit:{key}:failures"


def _resting(key: str) -> str:
    return f"ai:circuit:{key}:resting"
