"""What every language-model provider looks like from the inside of the product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import BaseModel


class Task(StrEnum):
    """Why a model is asked. Provider order, prompt and budget are chosen by task."""

    RESEARCH = "research"
    INSIGHT = "insight"
    SEGMENTS = "segments"
    PERSONAS = "personas"
    REFLECTION = "expert_reflection"
    MARKET_SIMULATION = "simulation"
    OPTIMIZATION = "optimization"
    CHAT = "chat"
    PANEL = "panel"


class Failure(StrEnum):
    """Why a provider did not answer; decides between waiting, falling back and giving up."""

    CREDENTIALS = "credentials"  # 401, 403: this key will not work; go on to the next provider
    QUOTA = "quota"  # out of credit or a spend limit: do not retry, go on
    RATE_LIMIT = "rate_limit"  # 429: wait as told, then retry
    TRANSIENT = "transient"  # 5xx, 529, network, time-out: retry with a growing pause
    CUT = "cut"  # the stream broke before its end
    INVALID = "invalid"  # 400 kinds: our request is wrong; retrying cannot help
    REFUSED = "refused"  # the model declined
    UNPARSABLE = "unparsable"  # the answer does not fit the schema, or was cut by the token limit


@dataclass(frozen=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Citation:
    """A published source an answer leans on; `number` is the [n] it bears in the text."""

    number: int
    title: str
    url: str
    publisher: str = ""
    year: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Usage:
    """Tokens in and out; `cost_micros` is millionths of a US dollar, None when unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None


@dataclass(frozen=True)
class AIRequest:
    """One question to a model.

    `messages` is what language models read. `facts` is the same matter as plain data
    (brief, segment, persona, history ...): the built-in analyst answers from it alone.
    With `schema`, the answer must be JSON of that shape.
    """

    task: Task
    messages: tuple[ChatMessage, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    schema: type[BaseModel] | None = None
    max_tokens: int = 4096
    temperature: float | None = None
    seed: int | None = None
    deep_research: bool = False
    timeout_seconds: float = 60.0


@dataclass(frozen=True)
class Completion:
    """A finished answer. `text` is JSON text when the request bore a schema."""

    text: str
    provider: str
    model: str
    usage: Usage = Usage()
    citations: tuple[Citation, ...] = ()
    finish_reason: str = "stop"  # stop, length, refusal


@dataclass(frozen=True)
class Delta:
    """A piece of a streamed answer."""

    text: str


StreamPart = Delta | Completion
"""A stream yields any number of Delta and ends with exactly one Completion."""


class ProviderError(Exception):
    """A provider did not answer as asked. `retry_after` is seconds, where the provider named them."""

    def __init__(self, failure: Failure, message: str, *, provider: str, retry_after: float | None = None):
        super().__init__(message)
        self.failure = failure
        self.message = message
        self.provider = provider
        self.retry_after = retry_after


class AIProvider(Protocol):
    """A language model behind one HTTP API, or the built-in analyst.

    Each method raises ProviderError and nothing else. Implementations do not retry:
    the door (app/ai/services/completion.py) does.
    """

    name: str
    model: str

    def complete(self, request: AIRequest) -> Completion:
        """Answer whole; with request.schema, `text` is JSON meant for it (the door validates)."""
        ...

    def stream(self, request: AIRequest) -> Iterator[StreamPart]:
        """Answer piece by piece. A stream that breaks raises ProviderError(Failure.CUT)."""
        ...

    def check(self) -> None:
        """Return when the service answers and knows the model; raise ProviderError otherwise."""
        ...
