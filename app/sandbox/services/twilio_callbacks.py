"""Twilio's calls to its customers: signed forms, posted in the background when their time has come."""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import itertools
import threading
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    import urllib3

    from app.sandbox.state import Sandbox

LANES = 6
NAP_SECONDS = 0.05  # virtual time may jump, so nobody sleeps until a moment
ANSWER_SECONDS = 15.0


def sign(token: str, url: str, params: dict[str, str]) -> str:
    """The value of X-Twilio-Signature."""
    said = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


@dataclass(order=True)
class Call:
    """A form to post at a virtual moment; equal moments keep the order they were planned in."""

    due: float
    number: int
    key: str = field(compare=False)
    url: str = field(compare=False)
    params: dict[str, str] = field(compare=False)
    is_forged: bool = field(compare=False, default=False)


@dataclass
class Answer:
    """What the customer's address said; status 0 when it could not be reached."""

    status: int
    text: str


class Lane:
    """A queue with a thread of its own: one call after the other."""

    def __init__(self, post: Callable[[Call], None], sandbox: Sandbox) -> None:
        self._post, self._sandbox, self._generation = post, sandbox, sandbox.generation
        self._calls: list[Call] = []
        self._wake = threading.Condition()
        self._is_running = self._is_busy = False

    def add(self, call: Call) -> None:
        """Keep a call for its time."""
        with self._wake:
            heapq.heappush(self._calls, call)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._serve, name="sandbox-callbacks", daemon=True).start()
            self._wake.notify()

    def take_back(self, key: str) -> None:
        """Forget the calls about one message."""
        with self._wake:
            self._calls = [call for call in self._calls if call.key != key]
            heapq.heapify(self._calls)

    def waiting(self) -> int:
        """Calls that are planned or being made."""
        with self._wake:
            return len(self._calls) + self._is_busy

    def _serve(self) -> None:
        while not self._sandbox.closing.is_set() and self._sandbox.generation == self._generation:
            call = self._next()
            if call is not None:
                self._post(call)
                self._is_busy = False

    def _next(self) -> Call | None:
        with self._wake:
            if self._calls and self._calls[0].due <= self._sandbox.clock.now().timestamp():
                self._is_busy = True
                return heapq.heappop(self._calls)
            self._wake.wait(NAP_SECONDS if self._calls else 1.0)
        return None


class Courier:
    """Posts calls. Those about one message go through one lane, in the order of their moments."""

    def __init__(self, sandbox: Sandbox, token: str) -> None:
        self._token = token
        self._lanes = [Lane(self._deliver, sandbox) for _ in range(LANES)]
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.taken = self.refused = 0
        self.failures: deque[str] = deque(maxlen=20)

    def plan(self, key: str, due: float, url: str, params: dict[str, str], *, is_forged: bool = False) -> None:
        """Post this at the virtual moment `due`."""
        self._lane(key).add(Call(due, next(self._numbers), key, url, params, is_forged))

    def take_back(self, key: str) -> None:
        """Forget what is planned under this key."""
        self._lane(key).take_back(key)

    def post(self, url: str, params: dict[str, str], *, is_forged: bool = False) -> Answer:
        """Post at once and wait for the answer."""
        import urllib3

        signature = sign("not-the-token" if is_forged else self._token, url, params)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signature,
        }
        try:
            answer = _pool().request("POST", url, body=urlencode(params), headers=headers, redirect=False)
            return Answer(answer.status, answer.data.decode("utf-8", "replace"))
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            return Answer(0, f"{type(error).__name__}: {error}")

    def counts(self) -> dict[str, int]:
        """Calls that are planned, that were taken, and that were not (no answer, or none of 2xx)."""
        waiting = sum(lane.waiting() for lane in self._lanes)
        return {"callbacks_waiting": waiting, "callbacks_taken": self.taken, "callbacks_refused": self.refused}

    def _lane(self, key: str) -> Lane:
        return self._lanes[zlib.crc32(key.encode()) % LANES]

    def _deliver(self, call: Call) -> None:
        answer = self.post(call.url, call.params, is_forged=call.is_forged)
        with self._lock:
            if 200 <= answer.status < 300:
                self.taken += 1
            else:
                self.refused += 1
                self.failures.append(f"{answer.status} {call.url} {answer.text[:200]}")


@lru_cache(maxsize=1)
def _pool() -> urllib3.PoolManager:
    import urllib3

    timeout = urllib3.Timeout(connect=5.0, read=ANSWER_SECONDS)
    return urllib3.PoolManager(maxsize=2 * LANES, retries=False, timeout=timeout)
