"""Perplexity: answers with their sources, and deep research that takes minutes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from app.ai.providers import connection
from app.ai.providers.base import AIRequest, Citation, Completion, Delta, Failure, ProviderError, StreamPart
from app.ai.providers.chat_completions import ChatCompletionsProvider, schema_format
from app.ai.providers.failures import translated

MODELS = ("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research")
DEEP_MODEL = "sonar-deep-research"
RESEARCH_PATH = "/async/chat/completions"
CALL_SECONDS = 30.0


class PerplexityProvider(ChatCompletionsProvider):
    """Sonar. A request for deep research goes to the deep model, as a job of its own that is asked after."""

    name = "perplexity"

    def __init__(
        self, *, api_key: str, base_url: str, model: str, poll_seconds: float = 5.0, research_seconds: float = 600.0
    ):
        super().__init__(api_key=api_key, base_url=base_url, model=model)
        self._poll_seconds = poll_seconds
        self._research_seconds = research_seconds

    def complete(self, request: AIRequest) -> Completion:
        """Answer whole; deep research may take as long as `research_seconds`."""
        return self._research(request) if request.deep_research else super().complete(request)

    def stream(self, request: AIRequest) -> Iterator[StreamPart]:
        """Answer piece by piece; deep research comes in one piece."""
        if not request.deep_research:
            yield from super().stream(request)
            return
        answer = self._research(request)
        yield Delta(answer.text)
        yield answer

    def check(self) -> None:
        """Ask for the list of deep researches, which needs a valid key and costs nothing.

        There is no list of Sonar models to look in; a name unknown to us is tried with the shortest possible call.
        """
        seconds = connection.CHECK_SECONDS
        with translated(self.name, timeout_seconds=seconds):
            self._client.get(RESEARCH_PATH, cast_to=object, options={"timeout": connection.timeout(seconds)})
            if self.model not in MODELS:
                self._client.chat.completions.create(
                    model=self.model,
                    messages=[{"role": "user", "content": "Hello"}],
                    max_tokens=1,
                    timeout=connection.timeout(seconds),
                    extra_body={"disable_search": True},
                )

    def _response_format(self, request: AIRequest) -> dict[str, Any] | None:
        return schema_format(request, strict=False) if request.schema is not None else None

    def _stream_arguments(self) -> dict[str, Any]:
        return {}

    def _citations(self, extras: dict[str, Any]) -> tuple[Citation, ...]:
        results = extras.get("search_results") or [{"url": url} for url in extras.get("citations") or []]
        return tuple(_citation(number, result) for number, result in enumerate(results, start=1))

    def _cost_micros(self, usage: Any) -> int | None:
        """What the platform says the answer cost."""
        cost = (usage.model_extra or {}).get("cost")
        total = cost.get("total_cost") if isinstance(cost, dict) else None
        return None if total is None else round(float(total) * 1_000_000)

    def _research(self, request: AIRequest) -> Completion:
        """Start a deep research and ask after it until it is done; a lost poll does not lose the research."""
        deadline = time.monotonic() + max(self._research_seconds, request.timeout_seconds)
        row = self._start(request)
        while row.get("status") not in ("COMPLETED", "FAILED"):
            if time.monotonic() > deadline:
                text = f"The research of {self.name} was not done in time."
                raise ProviderError(Failure.TRANSIENT, text, provider=self.name)
            time.sleep(self._poll_seconds)
            row = self._poll(str(row["id"])) or row
        if row["status"] == "FAILED":
            text = f"The research of {self.name} failed: {row.get('error_message') or 'no reason given'}"
            raise ProviderError(Failure.TRANSIENT, text, provider=self.name)
        with translated(self.name, timeout_seconds=CALL_SECONDS):
            from openai.types.chat import ChatCompletion

            return self._read_whole(request, ChatCompletion.model_validate(row["response"]))

    def _start(self, request: AIRequest) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "model": DEEP_MODEL,
            "messages": self._messages(request),
            "max_tokens": request.max_tokens,
        }
        if request.schema is not None:
            asked["response_format"] = self._response_format(request)
        body = {"request": asked, "idempotency_key": str(uuid.uuid4())}
        with translated(self.name, timeout_seconds=CALL_SECONDS):
            options: Any = {"timeout": connection.timeout(CALL_SECONDS)}
            row: Any = self._client.post(RESEARCH_PATH, cast_to=object, body=body, options=options)
            row["id"], row["status"]  # an answer without these is none
            return dict(row)

    def _poll(self, research_id: str) -> dict[str, Any] | None:
        """How the research stands; None when the provider could not say just now."""
        try:
            with translated(self.name, timeout_seconds=CALL_SECONDS):
                options: Any = {"timeout": connection.timeout(CALL_SECONDS)}
                row: Any = self._client.get(f"{RESEARCH_PATH}/{research_id}", cast_to=object, options=options)
                return dict(row)
        except ProviderError as error:
            if error.failure in (Failure.TRANSIENT, Failure.RATE_LIMIT):
                return None
            raise


def _citation(number: int, result: dict[str, Any]) -> Citation:
    url = str(result.get("url") or "")
    host = urlsplit(url).hostname or ""
    publisher = host.removeprefix("www.")
    return Citation(
        number=number,
        title=str(result.get("title") or publisher),
        url=url,
        publisher=publisher,
        year=str(result.get("date") or "")[:4],
        detail=str(result.get("snippet") or ""),
    )
