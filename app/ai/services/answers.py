"""What the door gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from app.ai.providers.base import Citation, Usage


@dataclass(frozen=True)
class Answer:
    """A finished answer and where it came from.

    `fallbacks` says, one sentence each, why providers before this one did not answer; empty when the
    first choice did. `finish_reason` is "length" when the text was cut by the token limit.
    """

    text: str
    provider: str
    model: str
    usage: Usage
    citations: tuple[Citation, ...]
    latency_ms: int
    call_id: int
    finish_reason: str
    created_at: datetime
    fallbacks: tuple[str, ...] = ()
    first_token_ms: int | None = None
    prompt_name: str = ""
    prompt_version: str = ""


@dataclass(frozen=True)
class Restart:
    """Throw away what came so far: another attempt begins anew. `reason` is fit for a reader."""

    reason: str


@dataclass(frozen=True)
class Structured:
    """An answer that fits its schema; `repaired` when the first try did not."""

    value: BaseModel
    answer: Answer
    repaired: bool
