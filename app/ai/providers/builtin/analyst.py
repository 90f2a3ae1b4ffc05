"""The built-in analyst as a provider: no key, no network, the same answer to the same question."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.ai.providers.base import (
    AIRequest,
    Citation,
    Completion,
    Delta,
    Failure,
    ProviderError,
    StreamPart,
    Task,
    Usage,
)
from app.ai.providers.builtin.insight import insight, segments
from app.ai.providers.builtin.journey import market_simulation
from app.ai.providers.builtin.knowledge import facts, markets
from app.ai.providers.builtin.optimization import optimization
from app.ai.providers.builtin.personas import personas
from app.ai.providers.builtin.reflection import reflection
from app.ai.providers.builtin.research import research

Answered = tuple[str, tuple[Citation, ...]]
WORDS_A_PIECE = 3


class BuiltinProvider:
    """Answers each task from the request's facts alone; ignores the messages, which are written for language models."""

    name = "builtin"
    model = "parley-analyst-1"

    def __init__(self, *, token_delay_seconds: float = 0.0) -> None:
        self._delay = token_delay_seconds

    def complete(self, request: AIRequest) -> Completion:
        """Answer whole; raises ProviderError, never anything else."""
        try:
            text, citations = _ANSWERS[request.task](_with_depth(request))
        except Exception as error:  # A fault here must look like any provider's fault, so that another can take over.
            raise ProviderError(Failure.INVALID, f"The built-in analyst failed: {type(error).__name__}: {error}",
                                provider=self.name) from error  # fmt: skip
        usage = Usage(_words(json.dumps(request.facts, default=str)), _words(text), 0)
        return Completion(text, self.name, self.model, usage, citations)

    def stream(self, request: AIRequest) -> Iterator[StreamPart]:
        """The same answer in pieces of a few words."""
        done = self.complete(request)
        for piece in _pieces(done.text):
            if self._delay:
                time.sleep(self._delay)
            yield Delta(piece)
        yield done

    def check(self) -> None:
        """Return when the knowledge base can be read; raise ProviderError otherwise."""
        try:
            if not markets() or not facts():
                raise ValueError("the knowledge base is empty")
        except (OSError, ValueError, KeyError) as error:
            raise ProviderError(
                Failure.INVALID, f"The knowledge base cannot be read: {error}", provider=self.name
            ) from error


def _with_depth(request: AIRequest) -> Mapping[str, Any]:
    return {**request.facts, "deep": bool(request.facts.get("deep", request.deep_research))}


def _json(answer: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Mapping[str, Any]], Answered]:
    return lambda given: (json.dumps(answer(given), ensure_ascii=False), ())


def _chat(given: Mapping[str, Any]) -> Answered:
    from app.ai.providers.builtin.talk import answer_chat  # Imported late: market work does not need it.

    return answer_chat(given), ()


def _panel(given: Mapping[str, Any]) -> Answered:
    from app.ai.providers.builtin.talk import answer_panel  # Imported late: market work does not need it.

    return json.dumps(answer_panel(given), ensure_ascii=False), ()


_ANSWERS: Mapping[Task, Callable[[Mapping[str, Any]], Answered]] = {
    Task.RESEARCH: research,
    Task.INSIGHT: _json(insight),
    Task.SEGMENTS: _json(segments),
    Task.PERSONAS: _json(personas),
    Task.REFLECTION: reflection,
    Task.MARKET_SIMULATION: market_simulation,
    Task.OPTIMIZATION: optimization,
    Task.CHAT: _chat,
    Task.PANEL: _panel,
}


def _words(text: str) -> int:
    return len(text.split())


def _pieces(text: str) -> Iterator[str]:
    """The text cut after every few words, spaces kept, so that the pieces joined are the text."""
    words = re.findall(r"\s*\S+|\s+$", text)
    for start in range(0, len(words), WORDS_A_PIECE):
        yield "".join(words[start : start + WORDS_A_PIECE])
