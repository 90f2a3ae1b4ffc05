"""Anthropic's models by the Messages API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from app.ai.providers import connection, conversation, failures, json_shape, pricing
from app.ai.providers.base import AIRequest, Completion, Delta, Failure, ProviderError, StreamPart, Task, Usage
from app.ai.providers.failures import translated

if TYPE_CHECKING:
    from anthropic import Anthropic

# These models think before they answer, within max_tokens; they take a measure of effort instead of a temperature.
_THINKING_MODELS = re.compile(r"claude-(opus|sonnet|haiku|fable)-5")
ROOM_FOR_THINKING = 4096
QUICK_TASKS = (Task.CHAT, Task.PANEL)
FINISH = {"max_tokens": "length", "model_context_window_exceeded": "length", "pause_turn": "length"}


class AnthropicProvider:
    """Claude. Temperature and seed are not passed on: the current models refuse the one and have not the other."""

    name = "anthropic"

    def __init__(self, *, api_key: str, base_url: str, model: str):
        self.model = model
        self._api_key = api_key
        # The SDK adds /v1 itself; an address may be given with or without it.
        self._base_url = base_url.rstrip("/").removesuffix("/v1")

    @cached_property
    def _client(self) -> Anthropic:
        from anthropic import Anthropic, DefaultHttpxClient

        http_client = DefaultHttpxClient(event_hooks=connection.hooks(), follow_redirects=False)
        return Anthropic(api_key=self._api_key, base_url=self._base_url, max_retries=0, http_client=http_client)

    def complete(self, request: AIRequest) -> Completion:
        """Answer whole."""
        with translated(self.name, timeout_seconds=request.timeout_seconds):
            message = self._client.messages.create(**self._arguments(request))
            text = "".join(block.text for block in message.content if block.type == "text")
            reading = _Reading(message.stop_reason, message.usage)
        if not text and reading.finish_reason(self.name) == "stop":
            raise failures.empty(self.name)
        return self._completion(request, text, reading)

    def stream(self, request: AIRequest) -> Iterator[StreamPart]:
        """Answer piece by piece."""
        said, reading, ended = "", _Reading(None, None), False
        with translated(self.name, timeout_seconds=request.timeout_seconds):
            events = self._client.messages.create(**self._arguments(request), stream=True)
            try:
                for event in events:
                    text = reading.read(event)
                    if text:
                        said += text
                        yield Delta(text)
                    ended = event.type == "message_stop"
            except Exception as error:
                if failures.broke_off(self.name, error):
                    raise failures.cut(self.name) from error
                raise
            finally:
                events.close()
        if not ended:
            raise failures.cut(self.name)
        if not said and reading.finish_reason(self.name) == "stop":
            raise failures.empty(self.name)
        yield self._completion(request, said, reading)

    def check(self) -> None:
        """Ask for the model by name, which costs nothing."""
        seconds = connection.CHECK_SECONDS
        try:
            with translated(self.name, timeout_seconds=seconds):
                self._client.models.retrieve(self.model, timeout=connection.timeout(seconds))
        except ProviderError as error:
            if error.failure is Failure.INVALID:
                raise failures.unknown_model(self.name, self.model) from error
            raise

    def _arguments(self, request: AIRequest) -> dict[str, Any]:
        thinks = bool(_THINKING_MODELS.match(self.model))
        turns = [{"role": turn.role, "content": turn.content} for turn in conversation.turns(request)]
        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": turns,
            "max_tokens": request.max_tokens + (ROOM_FOR_THINKING if thinks else 0),
            "timeout": connection.timeout(request.timeout_seconds),
        }
        system = conversation.system_text(request)
        if system:
            arguments["system"] = system
        config = self._output_config(request, thinks)
        return {**arguments, "output_config": config} if config else arguments

    def _output_config(self, request: AIRequest, thinks: bool) -> dict[str, Any]:
        config: dict[str, Any] = {}
        if thinks:
            config["effort"] = "low" if request.task in QUICK_TASKS else "medium"
        if request.schema is not None:
            from anthropic import transform_schema

            schema = transform_schema(json_shape.plain_schema(request.schema))
            config["format"] = {"type": "json_schema", "schema": schema}
        return config

    def _completion(self, request: AIRequest, text: str, reading: _Reading) -> Completion:
        shown = json_shape.read_back(text, request.schema) if request.schema else text
        return Completion(
            text=shown,
            provider=self.name,
            model=self.model,
            usage=reading.usage(self.name, self.model),
            finish_reason=reading.finish_reason(self.name),
        )


class _Reading:
    """What becomes known of an answer besides its text, all at once or event by event."""

    def __init__(self, stop_reason: str | None, usage: Any):
        self._stop_reason = stop_reason
        self._counts = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0}
        self._count(usage)

    def read(self, event: Any) -> str:
        """Take one event in; the text it brings."""
        if event.type == "message_start":
            self._count(event.message.usage)
        elif event.type == "message_delta":
            self._stop_reason = event.delta.stop_reason or self._stop_reason
            self._count(event.usage)
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            return str(event.delta.text)
        return ""

    def finish_reason(self, provider: str) -> str:
        """`stop` or `length`; raises REFUSED where the model declined."""
        if self._stop_reason == "refusal":
            raise failures.refused(provider)
        return FINISH.get(self._stop_reason or "", "stop")

    def usage(self, provider: str, model: str) -> Usage:
        """Tokens and their cost; what came from the cache is counted apart by the platform, and added here."""
        cached = self._counts["cache_read_input_tokens"]
        read, written = self._counts["input_tokens"] + cached, self._counts["output_tokens"]
        cost = pricing.cost_micros(provider, model, input_tokens=read, output_tokens=written, cached_tokens=cached)
        return Usage(read, written, cost)

    def _count(self, usage: Any) -> None:
        for name in self._counts:
            value = getattr(usage, name, None)
            if value is not None:
                self._counts[name] = int(value)
