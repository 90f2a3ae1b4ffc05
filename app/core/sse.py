"""Live updates: publish to a tenant's channel, and one authorised stream route that fans them out.

Each process holds one Redis subscription (the hub) and hands messages to its open streams through
queues, so a thousand streams cost one connection. Every message also goes to a short Redis stream,
whose ids let a reconnecting browser name the last one it saw.
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from flask_sse import Message, ServerSentEventsBlueprint
from pydantic import BaseModel, Field
from redis import Redis
from redis.exceptions import RedisError

from app.core import tenancy
from app.core.config import get_settings
from app.core.db import release_connection
from app.core.describe import describe
from app.core.dialects import insight_dialect, register_dialect
from app.core.errors import PermissionDenied, Unavailable
from app.core.logs import get_logger
from app.core.redis import get_redis
from app.core.sse_hub import Subscription, get_hub

log = get_logger()
REPLAY_LENGTH = 400
REPLAY_SECONDS = 600

_PUBLISH = """
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'e', ARGV[1], 'd', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', KEYS[1], id .. '\\n' .. ARGV[1] .. '\\n' .. ARGV[2])
return id
"""


def publish(channel: str, event: str, data: dict[str, Any], *, tenant_id: int | None = None) -> None:
    """Tell the tenant's open pages that something changed. Never raises: pages also poll."""
    key = channel_key(tenant_id if tenant_id is not None else tenancy.current_tenant_id(), channel)
    body = json.dumps(data, separators=(",", ":"), default=str)
    try:
        get_redis().eval(_PUBLISH, 1, key, event, body, str(REPLAY_LENGTH), str(REPLAY_SECONDS))
    except RedisError as error:
        log.warning("live_update_lost", channel=channel, event_name=event, reason=str(error))


def channel_key(tenant_id: int, channel: str) -> str:
    return f"sse:{tenant_id}:{channel}"


class StreamQuery(BaseModel):
    """What to listen to, and the last event that was seen."""

    channel: list[str] = Field(["audience"], description="audience, and user.<your id>; once for each.")
    last_event_id: str = Field("", description="As Last-Event-ID, for those who cannot send that header.")


class LiveUpdates(ServerSentEventsBlueprint):
    """flask-sse's blueprint with authorised channels, heartbeats, replay and one subscription a process."""

    @property
    def redis(self) -> Redis:
        return get_redis()

    @describe(
        "Listen to what changes",
        "Live updates",
        query=StreamQuery,
        answers={200: str},
        errors=(503,),
        media="text/event-stream",
    )
    def stream(self) -> Response:
        """`GET /stream?channel=audience[&channel=user.7]`: only the caller's own channels, else 403."""
        channels = list(dict.fromkeys(request.args.getlist("channel"))) or ["audience"]
        authorise, watch = current_app.extensions["sse_access"]
        tenant_id = authorise(channels)
        still_allowed = watch()
        seen = _parse_last_id(request.headers.get("Last-Event-ID") or request.args.get("last_event_id", ""), channels)
        release_connection()
        hub = get_hub()
        if hub.stream_count >= get_settings().sse_max_streams:
            raise Unavailable("Too many open live connections; the page still refreshes by itself.")
        keys = {channel_key(tenant_id, channel): channel for channel in channels}
        subscription = hub.subscribe(list(keys))
        body = _messages(subscription, keys, seen, still_allowed)
        response = Response(body, mimetype="text/event-stream")
        response.headers["Cache-Control"] = "no-cache, no-transform"
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(lambda: hub.unsubscribe(subscription))
        return response

    stream.permission = "insights.read"  # type: ignore[attr-defined]  # asked for where the channels are authorised


def _messages(
    subscription: Subscription, keys: dict[str, str], seen: dict[str, str], still_allowed: Callable[[], bool]
) -> Iterator[str]:
    last = {channel: seen.get(channel) or _newest_id(key) for key, channel in keys.items()}
    yield f"retry: 2000\n: hello\nid: {_joined(last)}\n\n"  # a browser that hears nothing else knows where it was
    for key, channel in keys.items():
        if channel in seen:
            yield from _replay(key, channel, last)
    settings = get_settings()
    checked = time.monotonic()
    while True:
        left = max(0.0, checked + settings.sse_recheck_seconds - time.monotonic())
        try:
            item = subscription.queue.get(timeout=min(settings.sse_heartbeat_seconds, left))
        except queue.Empty:
            item = None
        if time.monotonic() - checked >= settings.sse_recheck_seconds:
            checked = time.monotonic()
            if not still_allowed():
                return
        if item is None:
            yield ": heartbeat\n\n"
            continue
        if item.key == "":
            yield str(Message("{}", type="resync"))
            continue
        channel = keys[item.key]
        if _newer(item.id, last[channel]):
            last[channel] = item.id
            yield _format(item.event, item.data, last)


def _newest_id(key: str) -> str:
    """Where a stream that names no id begins: after everything published so far."""
    try:
        newest = get_redis().xrevrange(key, count=1)
        if newest:
            return str(newest[0][0].decode())
        seconds, micros = get_redis().time()
        return f"{seconds * 1000 + micros // 1000 - 1}-0"
    except RedisError:
        return "0-0"


def _replay(key: str, channel: str, last: dict[str, str]) -> Iterator[str]:
    try:
        rows = get_redis().xrange(key, min=last[channel], max="+")
        oldest = get_redis().xrange(key, count=1)
    except RedisError:
        rows, oldest = [], []
    if not oldest or _newer(oldest[0][0].decode(), last[channel]) or not rows:
        # What was missed is no longer kept, or the id is of another store: the page asks for its state.
        last[channel] = _newest_id(key)
        yield str(Message("{}", type="resync", id=_joined(last)))
        return
    for row_id, fields in rows:
        if not _newer(row_id.decode(), last[channel]):
            continue
        last[channel] = row_id.decode()
        yield _format(fields[b"e"].decode(), fields[b"d"].decode(), last)


def _format(event: str, data: str, last: dict[str, str]) -> str:
    return str(Message(data, type=event, id=_joined(last)))


def _joined(last: dict[str, str]) -> str:
    """One channel's id as it is; of several, each with its name."""
    return next(iter(last.values())) if len(last) == 1 else ",".join(f"{c}={i}" for c, i in last.items())


def _parse_last_id(text: str, channels: list[str]) -> dict[str, str]:
    """`5-0` for one channel, `audience=5-0,user.7=6-1` for several; anything odd is ignored."""
    pairs = [p.partition("=") for p in text.split(",")] if "=" in text else [(channels[0], "=", text)]
    return {c: i for c, _, i in pairs if c in channels and _parts(i) is not None}


def _parts(event_id: str) -> tuple[int, int] | None:
    first, _, second = event_id.partition("-")
    plain = event_id.isascii() and first.isdecimal() and second.isdecimal() and max(len(first), len(second)) < 19
    return (int(first), int(second)) if plain else None


def _newer(event_id: str, than: str) -> bool:
    return (_parts(event_id) or (0, 0)) > (_parts(than) or (-1, 0))


live_updates = LiveUpdates("sse", __name__)
live_updates.add_url_rule(rule="", endpoint="stream", view_func=live_updates.stream)


def allow_channels(channels: list[str], *, tenant_id: int, user_id: int) -> int:
    """The tenant whose channels these are; raises PermissionDenied for any the caller may not hear.

    A caller who is no person has the user id 0 and hears the tenant only.
    """
    open_to_them = {"audience", f"user.{user_id}"} if user_id else {"audience"}
    for channel in channels:
        if channel not in open_to_them:
            raise PermissionDenied(f"You may not listen to the channel {channel[:40]}.")
    return tenant_id


def init_app(app: Flask) -> None:
    register_dialect("/stream", insight_dialect)
    app.register_blueprint(live_updates, url_prefix="/stream")
