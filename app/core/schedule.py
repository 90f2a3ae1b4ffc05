"""The table of periodic work. Entries may run twice or late and must not mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Periodic:
    name: str
    every_seconds: int
    function: Callable[[], None]
    queue: str = "critical"
    timeout_seconds: int = 300


table: dict[str, Periodic] = {}


def periodic(
    name: str, *, every_seconds: int, queue: str = "critical", timeout_seconds: int = 300
) -> Callable[..., Callable[[], None]]:
    """Run the function every so often, as the platform (across tenants)."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        table[name] = Periodic(name, every_seconds, function, queue, timeout_seconds)
        return function

    return register
