"""What one sandbox remembers: requests received, scripted answers, services' rows, settings."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.clock import VirtualClock
from app.sandbox.faults import FaultBook

RECEIVED_KEPT = 2000


@dataclass
class Received:
    """One request as it came in."""

    at: str
    service: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    fault: str | None = None


@dataclass
class Script:
    """An answer to give next, for requests whose body contains `match`."""

    service: str
    answer: str
    match: str = ""


@dataclass
class Sandbox:
    """All state of one sandbox; `lock` guards it, as every request has its own thread."""

    token_delay_ms: int
    seed: int
    callback_url: str = ""
    clock: VirtualClock = field(default_factory=VirtualClock)
    received: deque[Received] = field(default_factory=lambda: deque(maxlen=RECEIVED_KEPT))
    scripts: list[Script] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.faults = FaultBook(self.seed)
        self._stores: dict[str, dict[str, Any]] = {}
        self._defaults = (self.token_delay_ms, self.seed)
        self._serial = 0
        self.generation = 0  # grows with each reset, so that background work of before can end

    def reset(self) -> None:
        """Forget all that was received, set, scripted and stored; time is real again."""
        with self.lock:
            self.token_delay_ms, self.seed = self._defaults
            self.received.clear()
            self.scripts.clear()
            self._stores.clear()
            self._serial = 0
            self.faults = FaultBook(self.seed)
            self.clock.reset()
            self.generation += 1

    def store(self, service: str) -> dict[str, Any]:
        """The rows a service keeps, by whatever keys it likes."""
        with self.lock:
            return self._stores.setdefault(service, {})

    def next_number(self) -> int:
        """A number not used before, for ids."""
        with self.lock:
            self._serial += 1
            return self._serial

    def add_script(self, service: str, answers: list[Any], match: str) -> None:
        """Queue answers; whatever is not text is given as JSON."""
        texts = [answer if isinstance(answer, str) else json.dumps(answer) for answer in answers]
        with self.lock:
            self.scripts += [Script(service, text, match) for text in texts]

    def take_script(self, service: str, body: str) -> str | None:
        """The next scripted answer that fits, taken off the queue."""
        with self.lock:
            for script in self.scripts:
                if script.service == service and script.match in body:
                    self.scripts.remove(script)
                    return script.answer
        return None

    def pause(self, seconds: float) -> None:
        """Wait in real time, but no longer than the server lives."""
        if seconds > 0:
            self.closing.wait(seconds)
