"""The messages Twilio's stand-in has taken: the latest whole, all of them counted."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

KEPT = 100_000
FINAL = ("delivered", "read", "undelivered", "failed", "canceled")


@dataclass(slots=True)
class Message:
    """One message. What has become of it follows from `starts_at`, `step_seconds` and `outcome`."""

    sid: str
    to: str  # as it was said, with the channel's prefix
    sender: str
    service_sid: str
    body: str
    segments: int
    media: int
    created_at: float
    starts_at: float
    step_seconds: float
    outcome: str  # delivered, read, sent, undelivered:30003, failed:30008 …
    callback_url: str = ""
    is_scheduled: bool = False
    is_inbound: bool = False
    canceled_at: float | None = None

    @property
    def channel(self) -> str:
        return "whatsapp" if self.to.startswith("whatsapp:") else "sms"

    @property
    def error_code(self) -> int | None:
        """The code its outcome bears, whether it has come to that or not."""
        _, _, code = self.outcome.partition(":")
        return int(code) if code else None

    def steps(self) -> list[tuple[float, str]]:
        """When it comes into which state, after the first."""
        last = self.outcome.partition(":")[0]
        path = ["queued"] if self.service_sid else []
        if last == "failed":
            path.append("failed")
        else:
            path += ["sending", "sent", *{"sent": [], "read": ["delivered", "read"]}.get(last, [last])]
        return [(self.starts_at + self.step_seconds * number, name) for number, name in enumerate(path, start=1)]

    def status(self, now: float) -> str:
        """The state it is in."""
        if self.is_inbound:
            return "received"
        if self.canceled_at is not None:
            return "canceled"
        state = "scheduled" if self.is_scheduled else "accepted" if self.service_sid else "queued"
        for at, name in self.steps():
            if at <= now:
                state = name
        return state


class Ledger:
    """Messages by id and by number. Beyond KEPT the oldest are forgotten, yet stay counted."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Message] = {}
        self._by_number: dict[str, list[str]] = {}
        self._order: deque[str] = deque()
        self._numbers: set[str] = set()
        self._lock = threading.Lock()
        self.messages = self.repeats = self.inbound = 0

    def add(self, message: Message) -> None:
        """Keep one more, and count it: a second one to the same number is a repeat."""
        with self._lock:
            self._by_sid[message.sid] = message
            self._by_number.setdefault(message.to, []).append(message.sid)
            self._order.append(message.sid)
            if message.is_inbound:
                self.inbound += 1
            else:
                self._count(message.to)
            if len(self._order) > KEPT:
                self._forget(self._order.popleft())

    def get(self, sid: str) -> Message | None:
        """One message, unless it was never here or is forgotten."""
        return self._by_sid.get(sid)

    def newest_first(self, to: str = "") -> Iterator[Message]:
        """All that are kept, or those to one number."""
        with self._lock:
            sids = list(self._by_number.get(to, ()) if to else self._order)
        for sid in reversed(sids):
            message = self._by_sid.get(sid)
            if message is not None:
                yield message

    def summary(self) -> dict[str, int]:
        """How many messages, to how many numbers, and how many were not the first to theirs."""
        return {
            "messages": self.messages,
            "distinct_to": len(self._numbers),
            "by_to_duplicates": self.repeats,
            "inbound": self.inbound,
        }

    def _count(self, number: str) -> None:
        self.messages += 1
        if number in self._numbers:
            self.repeats += 1
        else:
            self._numbers.add(number)

    def _forget(self, sid: str) -> None:
        message = self._by_sid.pop(sid)
        rest = self._by_number[message.to]
        rest.remove(sid)
        if not rest:
            del self._by_number[message.to]
