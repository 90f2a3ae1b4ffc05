"""Virtual time: the real clock plus what a test has added."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Runs like the real clock and can be moved on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The virtual moment, in UTC."""
        return datetime.now(UTC) + self._ahead

    def timestamp(self) -> int:
        """The virtual moment in whole seconds since 1970."""
        return int(self.now().timestamp())

    def advance(self, seconds: float) -> None:
        """Move time on; it never goes back."""
        self._ahead += timedelta(seconds=max(0.0, seconds))

    def reset(self) -> None:
        """Be the real clock again."""
        self._ahead = timedelta()
