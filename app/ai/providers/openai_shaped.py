"""OpenAI, and those who speak its chat completions: DeepSeek, Groq and servers on one's own machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from app.ai.providers.base import AIRequest, Completion, Delta, Failure, ProviderError, StreamPart, Task
from app.ai.providers.chat_completions import ChatCompletionsProvider

ROOM_FOR_THINKING = 4096
QUICK_TASKS = (Task.CHAT, Task.PANEL)


class OpenAIProvider(ChatCompletionsProvider):
    """OpenAI itself. Its current models take no temperature while they reason, so none is passed on."""

    name = "openai"
    tokens_argument = "max_completion_tokens"
    takes_temperature = False
    _always_reasoning = re.compile(r"gpt-6|o\d")

    def _room_for_thinking(self) -> int:
        return ROOM_FOR_THINKING if self._always_reasoning.match(self.model) else 0

    def _extra_body(self, request: AIRequest) -> dict[str, Any]:
        quick = request.task in QUICK_TASKS and self._always_reasoning.match(self.model)
        return {"reasoning_effort": "low"} if quick else {}


class DeepSeekProvider(ChatCompletionsProvider):
    """DeepSeek: JSON mode with the schema in the prompt, thinking switched off for speed."""

    name = "deepseek"
    _renamed: ClassVar[dict[str, str]] = {"deepseek-v4-flash": "deepseek-flash"}  # still served under the old name

    def _is_known(self, known: set[str]) -> bool:
        return bool(known & {self.model, self._renamed.get(self.model, self.model)})

    def _response_format(self, request: AIRequest) -> dict[str, Any] | None:
        return {"type": "json_object"} if request.schema is not None else None

    def _needs_schema_in_words(self, request: AIRequest) -> bool:
        return True

    def _extra_body(self, request: AIRequest) -> dict[str, Any]:
        return {"thinking": {"type": "disabled"}}


class GroqProvider(ChatCompletionsProvider):
    """Groq: schemas on the open GPT models, JSON mode on the others; a schema and a stream do not go together."""

    name = "groq"
    tokens_argument = "max_completion_tokens"
    takes_seed = True

    def stream(self, request: AIRequest) -> Iterator[StreamPart]:
        """Answer piece by piece; with a schema, in one piece."""
        if request.schema is None:
            yield from super().stream(request)
            return
        answer = self.complete(request)
        yield Delta(answer.text)
        yield answer

    @property
    def _reasons(self) -> bool:
        return "gpt-oss" in self.model

    def _response_format(self, request: AIRequest) -> dict[str, Any] | None:
        if request.schema is not None and not self._reasons:
            return {"type": "json_object"}
        return super()._response_format(request)

    def _needs_schema_in_words(self, request: AIRequest) -> bool:
        return not self._reasons

    def _room_for_thinking(self) -> int:
        return ROOM_FOR_THINKING if self._reasons else 0

    def _extra_body(self, request: AIRequest) -> dict[str, Any]:
        return {"reasoning_effort": "low"} if self._reasons and request.task in QUICK_TASKS else {}


class LocalProvider(ChatCompletionsProvider):
    """Any server with this API on one's own machine. The schema is sent and spelt out: not every server heeds it."""

    name = "local"
    takes_seed = True

    def __init__(self, *, api_key: str, base_url: str, model: str):
        super().__init__(api_key=api_key or "none", base_url=base_url, model=model)
        self._takes_format = True

    def complete(self, request: AIRequest) -> Completion:
        """Answer whole; a server that refuses the schema's argument is asked again without it, now and from then on."""
        try:
            return super().complete(request)
        except ProviderError as error:
            if request.schema is None or error.failure is not Failure.INVALID or not self._takes_format:
                raise
            self._takes_format = False
            return super().complete(request)

    def _is_known(self, known: set[str]) -> bool:
        return self.model in known or f"{self.model}:latest" in known

    def _response_format(self, request: AIRequest) -> dict[str, Any] | None:
        return super()._response_format(request) if self._takes_format else None

    def _needs_schema_in_words(self, request: AIRequest) -> bool:
        return True
