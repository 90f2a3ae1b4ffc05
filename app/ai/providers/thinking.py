"""Takes the thinking aloud of reasoning models off the front of an answer."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkingFilter:
    """Passes an answer on piece by piece without a leading <think>...</think>, wherever the pieces are split."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._through = False

    def feed(self, piece: str) -> str:
        """The part of the answer that may be shown so far."""
        if self._through:
            return piece
        self._held += piece
        if not self._thinking:
            start = self._held.lstrip()
            if len(start) < len(_OPEN) and _OPEN.startswith(start):
                return ""
            if not start.startswith(_OPEN):
                return self._release(self._held)
            self._thinking = True
        _before, closed, rest = self._held.partition(_CLOSE)
        # Blanks after the thought are part of it: hold until the answer proper begins.
        return self._release(rest.lstrip()) if closed and rest.strip() else ""

    def end(self) -> str:
        """What was held back and turns out to be the answer; a thought that never ended is not."""
        held, self._held = self._held, ""
        return "" if self._through or self._thinking else held

    def _release(self, text: str) -> str:
        self._through, self._held = True, ""
        return text


def without_thinking(text: str) -> str:
    """A whole answer without its leading thought."""
    thoughts = ThinkingFilter()
    return thoughts.feed(text) + thoughts.end()
