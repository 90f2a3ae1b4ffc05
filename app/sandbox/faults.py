"""What to get wrong, for which requests, how often."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

COMMON_ACTIONS = {
    "status_NNN": "answer with this HTTP status in the platform's words, such as status_429 (retry_after), status_529",
    "insufficient_quota": "out of credit, in the platform's words",
    "hang": "say nothing for `seconds` (30), then answer",
    "slow": "take `seconds` (2) before answering, and stream slowly",
    "reset": "close the connection without an answer",
    "lost_answer": "do what was asked, then close the connection",
    "html_502": "a gateway's HTML error page",
    "broken_body": "a JSON body that breaks off",
}
_STATUS = re.compile(r"status_[1-5]\d\d$")


@dataclass
class Fault:
    """One thing to get wrong. `times` counts down to 0; None is without end."""

    service: str
    action: str
    path: str = ""
    match: str = ""
    rate: float = 1.0
    times: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def fits(self, service: str, path: str, body: str) -> bool:
        """Whether a request is one this fault is meant for; `path` bears the service's prefix."""
        if self.times == 0 or self.service not in ("*", service) or self.match not in body:
            return False
        short = path.removeprefix(f"/{service}")
        return not self.path or any(fnmatchcase(form, self.path) for form in (path, short))

    def number(self, name: str, default: float) -> float:
        """A parameter of the action, as a number."""
        return float(self.params.get(name, default))

    def spent(self) -> None:
        """Count one use."""
        self.hits += 1
        if self.times is not None:
            self.times -= 1

    def as_dict(self) -> dict[str, Any]:
        """The fault as `/_control/faults` shows it."""
        return asdict(self)


class FaultBook:
    """The faults that are set; which of them a request meets is repeatable by the seed."""

    def __init__(self, seed: int) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Set one more; earlier ones go first."""
        with self._lock:
            self._faults.append(fault)

    def pick(self, service: str, path: str, body: str) -> Fault | None:
        """The fault this request meets, counted as used."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(service, path, body) and self._random.random() < fault.rate:
                    fault.spent()
                    return fault
        return None

    def clear(self, service: str = "") -> None:
        """Take back all faults, or one service's."""
        with self._lock:
            self._faults = [fault for fault in self._faults if service and fault.service != service]

    def listed(self) -> list[dict[str, Any]]:
        """All that are set, with how often each was met."""
        with self._lock:
            return [fault.as_dict() for fault in self._faults]


def is_common(action: str) -> bool:
    """Whether every service knows the action."""
    return action in COMMON_ACTIONS or bool(_STATUS.match(action))


def status_of(action: str) -> int | None:
    """429 from `status_429`; None for any other action."""
    return int(action[-3:]) if _STATUS.match(action) else None
