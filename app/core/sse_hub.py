"""The hub: one Redis subscription per process, fanned out to the queues of its open streams."""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from redis.client import PubSub
from redis.exceptions import ConnectionError as StoreGone
from redis.exceptions import RedisError

from app.core.logs import get_logger
from app.core.redis import get_hub_redis

log = get_logger()
QUEUE_LENGTH = 1000
IDLE_SECONDS = 10.0
SUBSCRIBE_SECONDS = 1.0


@dataclass(frozen=True)
class LiveMessage:
    """One published message; an empty key means: messages may have been missed, ask for your state."""

    key: str
    id: str
    event: str
    data: str


RESYNC = LiveMessage("", "", "", "")


@dataclass(eq=False)
class Subscription:
    keys: list[str]
    queue: queue.Queue[LiveMessage] = field(default_factory=lambda: queue.Queue(QUEUE_LENGTH))


class OneConnection(PubSub):
    """A subscription that ends with its connection. redis-py would make it again by itself, whoever of the two threads
    notices first, and the other would never learn that messages were missed."""

    def on_connect(self, connection: Any) -> None:
        connection.disconnect()
        raise StoreGone("The connection of the live updates was lost.")


class Hub:
    """Thread-safe; a greenlet under gevent, a thread elsewhere."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._by_key: dict[str, set[Subscription]] = defaultdict(set)
        self._pubsub: PubSub | None = None
        self._reader: threading.Thread | None = None
        self._listening = threading.Event()
        self.stream_count = 0

    def subscribe(self, keys: list[str]) -> Subscription:
        """A queue that receives every message published on these keys from now on.

        With Redis away it waits a moment, then opens all the same: the reader says `resync` once it is back.
        """
        subscription = Subscription(keys)
        with self._lock:
            self.stream_count += 1
            fresh = [key for key in keys if not self._by_key.get(key)]
            for key in keys:
                self._by_key[key].add(subscription)
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, name="sse-hub", daemon=True)
                self._reader.start()
            elif fresh and self._pubsub is not None:
                self._quietly(self._pubsub.subscribe, fresh)
        self._listening.wait(SUBSCRIBE_SECONDS)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        with self._lock:
            gone = []
            held = False
            for key in subscription.keys:
                members = self._by_key.get(key)
                if members and subscription in members:
                    held = True
                    members.discard(subscription)
                    if not members:
                        del self._by_key[key]
                        gone.append(key)
            self.stream_count -= held
            if gone and self._pubsub is not None:
                self._quietly(self._pubsub.unsubscribe, gone)

    @staticmethod
    def _quietly(call: object, keys: list[str]) -> None:
        try:
            call(*keys)  # type: ignore[operator]
        except (RedisError, OSError) as error:
            log.warning("live_subscription_failed", reason=str(error))

    def _read(self) -> None:
        first = True
        pause = 0.1
        while True:
            began = time.monotonic()
            try:
                self._listen(announce_gap=not first)
            except Exception as error:  # whatever it was, the next round begins anew and says so
                log.warning("live_updates_interrupted", reason=str(error))
            first = False
            pause = 0.1 if time.monotonic() - began > 5 else min(pause * 2, 2.0)
            time.sleep(pause)

    def _listen(self, *, announce_gap: bool) -> None:
        pubsub = OneConnection(get_hub_redis().connection_pool, ignore_subscribe_messages=True)
        try:
            with self._lock:
                pubsub.subscribe("sse:hub", *self._by_key)
                self._pubsub = pubsub
            self._listening.set()
            if announce_gap:
                self._to_all(RESYNC)
            last_ping = time.monotonic()
            while True:
                message = pubsub.get_message(timeout=IDLE_SECONDS)
                if message is not None and message["type"] == "message":
                    self._hand_out(message["channel"].decode(), message["data"].decode())
                elif time.monotonic() - last_ping > IDLE_SECONDS:
                    last_ping = time.monotonic()
                    pubsub.ping()
        finally:
            self._listening.clear()
            with self._lock:
                self._pubsub = None
            pubsub.close()

    def _hand_out(self, key: str, text: str) -> None:
        message_id, event, data = text.split("\n", 2)
        message = LiveMessage(key, message_id, event, data)
        with self._lock:
            receivers = list(self._by_key.get(key, ()))
        for subscription in receivers:
            self._put(subscription, message)

    def _to_all(self, message: LiveMessage) -> None:
        with self._lock:
            receivers = {s for members in self._by_key.values() for s in members}
        for subscription in receivers:
            self._put(subscription, message)

    @staticmethod
    def _put(subscription: Subscription, message: LiveMessage) -> None:
        """A stream that does not keep up loses its backlog and is told to ask for its state."""
        try:
            subscription.queue.put_nowait(message)
        except queue.Full:
            while not subscription.queue.empty():
                subscription.queue.get_nowait()
            subscription.queue.put_nowait(RESYNC)


@lru_cache(maxsize=1)
def get_hub() -> Hub:
    """This process's hub."""
    return Hub()
