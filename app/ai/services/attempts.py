"""One try at one provider: the call, timed, with every failure as a ProviderError."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from app.ai.providers.base import AIRequest, Completion, Delta, Failure, ProviderError, Usage
from app.ai.services import clients
from app.ai.services.candidates import Candidate
from app.core.logs import get_logger

log = get_logger()
# A provider promises ProviderError. These kinds would be a fault of ours in it, and must not cost anyone their answer;
# anything else (a job's time limit, say) is not the provider's and passes.
FAULTS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, OSError, ImportError)


@dataclass
class Attempt:
    """A try under way. `usage` is what it is known to have cost so far."""

    candidate: Candidate
    request: AIRequest
    started: float = field(default_factory=time.monotonic)
    first_token_ms: int | None = None
    usage: Usage | None = None

    def complete(self) -> Completion:
        """The whole answer; raises ProviderError and nothing of the provider's else."""
        try:
            completion = clients.client_for(self.candidate).complete(self.request)
        except FAULTS as fault:
            raise self._as_provider_error(fault) from fault
        return self._checked(completion)

    def stream(self) -> Generator[Delta | Completion, None, None]:
        """The pieces, then the whole; closing it closes the provider's stream."""
        try:
            parts = cast("Any", clients.client_for(self.candidate).stream(self.request))
            with closing(parts):
                for part in parts:
                    if isinstance(part, Completion):
                        yield self._checked(part)
                        return
                    self._note_first_token()
                    yield part
        except FAULTS as fault:
            raise self._as_provider_error(fault) from fault
        raise self.error(Failure.CUT, "the stream ended before the answer did")

    def error(self, failure: Failure, message: str) -> ProviderError:
        return ProviderError(failure, message, provider=self.candidate.name)

    @property
    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)

    def known_usage(self) -> Usage:
        """What to write down for a try without an answer: nothing was billed unless tokens had come."""
        if self.usage is not None:
            return self.usage
        return Usage(cost_micros=None if self.first_token_ms is not None else 0)

    def _checked(self, completion: Completion) -> Completion:
        self.usage = completion.usage
        if completion.finish_reason == "refusal":
            raise self.error(Failure.REFUSED, "the model declined to answer")
        if not completion.text.strip():
            raise self.error(Failure.TRANSIENT, "the answer was empty")
        return completion

    def _note_first_token(self) -> None:
        if self.first_token_ms is None:
            self.first_token_ms = self.elapsed_ms

    def _as_provider_error(self, fault: Exception) -> ProviderError:
        log.error("ai_provider_fault", provider=self.candidate.name, exc_info=fault)
        return self.error(Failure.INVALID, f"an unexpected fault ({type(fault).__name__})")
