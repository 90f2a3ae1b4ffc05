"""Telling the pages that watch events arrive: a light word, and only while somebody watches."""

from __future__ import annotations

import time

from redis.exceptions import RedisError

from app.core.db import after_commit
from app.core.redis import get_redis
from app.core.sse import publish
from app.core.tenancy import current_tenant_id

EVENT = "cdp_event"
EVERY_SECONDS = 0.4  # a page asks a moment later than this, so that it finds what came with the last word
WATCHED_SECONDS = 90
_said_at: dict[int, float] = {}


def watch() -> None:
    """A page that shows arriving events is open; it says so again while it stays open."""
    try:
        get_redis().set(_key(current_tenant_id()), 1, ex=WATCHED_SECONDS)
    except RedisError:
        return  # the page also asks by itself from time to time


def announce() -> None:
    """Events were written in the current unit of work: say so after the commit, a few times a second at most."""
    tenant_id = current_tenant_id()
    after_commit(lambda: _say(tenant_id))


def _say(tenant_id: int) -> None:
    now = time.monotonic()
    if now - _said_at.get(tenant_id, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    _said_at[tenant_id] = now
    try:
        is_watched = get_redis().exists(_key(tenant_id))
    except RedisError:
        return
    if is_watched:
        publish("audience", EVENT, {}, tenant_id=tenant_id)


def _key(tenant_id: int) -> str:
    return f"cdp:watched:{tenant_id}"
