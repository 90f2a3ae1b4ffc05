"""The chat-completions API as several platforms speak it: asking, reading, and where a platform may differ."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from app.ai.providers import connection, conversation, failures, json_shape, pricing
from app.ai.providers.base import (
    AIRequest,
    Citation,
    Completion,
    Delta,
    StreamPart,
    Usage,
)
from app.ai.providers.failures import translated
from app.ai.providers.thinking import ThinkingFilter, without_thinking

if TYPE_CHECKING:
    from openai import OpenAI


class ChatCompletionsProvider:
    """What the platforms share; a subclass says where it differs."""

    name: str
    tokens_argument: ClassVar[str] = "max_tokens"
    takes_temperature: ClassVar[bool] = True
    takes_seed: ClassVar[bool] = False

    def __init__(self, *, api_key: str, base_url: str, model: str):
        self.model = model
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")

    @cached_property
    def _client(self) -> OpenAI:
        from openai import DefaultHttpxClient, OpenAI

        http_client = DefaultHttpxClient(event_hooks=connection.hooks(), follow_redirects=False)
        return OpenAI(api_key=self._api_key, base_url=self._base_url, max_retries=0, http_client=http_client)

    def complete(self, request: AIRequest) -> Completion:
        """Answer whole."""
        with translated(self.name, timeout_seconds=request.timeout_seconds):
            answer = self._client.chat.completions.create(**self._arguments(request))
            return self._read_whole(request, answer)

    def stream(self, request: AIRequest) -> Iterator[StreamPart]:
        """Answer piece by piece."""
        reading, thoughts = _Reading(), ThinkingFilter()
        with translated(self.name, timeout_seconds=request.timeout_seconds):
            chunks = self._client.chat.completions.create(
                **self._arguments(request), stream=True, **self._stream_arguments()
            )
            try:
                for chunk in chunks:
                    shown = thoughts.feed(reading.read(chunk))
                    if shown:
                        yield reading.shown(shown)
            except Exception as error:
                if failures.broke_off(self.name, error):
                    raise failures.cut(self.name) from error
                raise
            finally:
                chunks.close()
        rest = thoughts.end()
        if rest:
            yield reading.shown(rest)
        yield self._finished(request, reading)

    def check(self) -> None:
        """Look the model up in the list of models, which costs nothing."""
        seconds = connection.CHECK_SECONDS
        with translated(self.name, timeout_seconds=seconds):
            models = self._client.models.list(timeout=connection.timeout(seconds))
            known = {model.id for model in models.data}
        if not self._is_known(known):
            raise failures.unknown_model(self.name, self.model)

    # Where platforms differ ------------------------------------------------------------------------------------

    def _is_known(self, known: set[str]) -> bool:
        return self.model in known

    def _response_format(self, request: AIRequest) -> dict[str, Any] | None:
        """How the platform is told the shape of the answer."""
        if request.schema is None:
            return None
        return schema_format(request, strict=True)

    def _needs_schema_in_words(self, request: AIRequest) -> bool:
        """Whether the prompt must spell the schema out, because the platform takes none."""
        return False

    def _extra_body(self, request: AIRequest) -> dict[str, Any]:
        """What the platform takes beyond the common arguments."""
        return {}

    def _room_for_thinking(self) -> int:
        """Tokens the model may spend on thinking, which count as output."""
        return 0

    def _stream_arguments(self) -> dict[str, Any]:
        return {"stream_options": {"include_usage": True}}

    def _citations(self, extras: dict[str, Any]) -> tuple[Citation, ...]:
        """The sources of an answer, where the platform names them."""
        return ()

    def _cost_micros(self, usage: Any) -> int | None:
        """What the answer cost."""
        return pricing.cost_micros(
            self.name,
            self.model,
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            cached_tokens=_cached_tokens(usage),
        )

    # Asking and reading ----------------------------------------------------------------------------------------

    def _messages(self, request: AIRequest) -> list[dict[str, str]]:
        system = conversation.system_text(request)
        if request.schema is not None and self._needs_schema_in_words(request):
            system = f"{system}\n\n{json_shape.in_words(request.schema)}".strip()
        first = [{"role": "system", "content": system}] if system else []
        return first + [{"role": turn.role, "content": turn.content} for turn in conversation.turns(request)]

    def _arguments(self, request: AIRequest) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self.model,
            "messages": self._messages(request),
            self.tokens_argument: request.max_tokens + self._room_for_thinking(),
            "timeout": connection.timeout(request.timeout_seconds),
        }
        if request.temperature is not None and self.takes_temperature:
            arguments["temperature"] = request.temperature
        if request.seed is not None and self.takes_seed:
            arguments["seed"] = request.seed
        shape = self._response_format(request)
        if shape is not None:
            arguments["response_format"] = shape
        extra = self._extra_body(request)
        return {**arguments, "extra_body": extra} if extra else arguments

    def _read_whole(self, request: AIRequest, answer: Any) -> Completion:
        reading = _Reading()
        reading.note(answer)
        if answer.choices:
            choice = answer.choices[0]
            reading.finish = choice.finish_reason or "stop"
            reading.declined = bool(getattr(choice.message, "refusal", None))
            reading.text = without_thinking(choice.message.content or "")
        else:
            reading.finish = "stop"
        return self._finished(request, reading)

    def _finished(self, request: AIRequest, reading: _Reading) -> Completion:
        """The completion of what was read; raises where it was refused, broken off or empty."""
        if reading.declined or reading.finish == "content_filter":
            raise failures.refused(self.name)
        if reading.finish is None:
            raise failures.cut(self.name)
        if not reading.text and reading.finish != "length":
            raise failures.empty(self.name)
        return Completion(
            text=json_shape.read_back(reading.text, request.schema) if request.schema else reading.text,
            provider=self.name,
            model=self.model,
            usage=self._usage(reading.usage),
            citations=self._citations(reading.extras),
            finish_reason="length" if reading.finish == "length" else "stop",
        )

    def _usage(self, usage: Any) -> Usage:
        if usage is None:
            return Usage()
        return Usage(usage.prompt_tokens, usage.completion_tokens, self._cost_micros(usage))


class _Reading:
    """What has been read of an answer so far."""

    def __init__(self) -> None:
        self.text = ""
        self.finish: str | None = None
        self.declined = False
        self.usage: Any = None
        self.extras: dict[str, Any] = {}

    def read(self, chunk: Any) -> str:
        """Take one chunk in; the text it brings. Chunks without choices bear usage, or nothing."""
        self.note(chunk)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        self.declined = self.declined or bool(getattr(choice.delta, "refusal", None))
        return str(choice.delta.content or "") if choice.delta else ""

    def shown(self, text: str) -> Delta:
        """Add text to the answer and pass it on."""
        self.text += text
        return Delta(text)

    def note(self, answer: Any) -> None:
        """Keep usage, and what a platform adds to the shape."""
        self.usage = getattr(answer, "usage", None) or self.usage
        self.extras |= {name: value for name, value in (answer.model_extra or {}).items() if value}


def schema_format(request: AIRequest, *, strict: bool) -> dict[str, Any]:
    """The argument that asks for JSON of the request's schema."""
    assert request.schema is not None
    wanted: dict[str, Any] = {
        "name": json_shape.schema_name(request.schema),
        "schema": json_shape.strict_schema(request.schema),
    }
    return {"type": "json_schema", "json_schema": {**wanted, "strict": True} if strict else wanted}


def _cached_tokens(usage: Any) -> int:
    """Input tokens that came from the platform's cache, by either of the two names for them."""
    details = getattr(usage, "prompt_tokens_details", None)
    return int(getattr(usage, "prompt_cache_hit_tokens", None) or getattr(details, "cached_tokens", None) or 0)
