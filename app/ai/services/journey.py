"""The way of one request through the providers: who is asked next after each failure, and what the ledger keeps."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import Any

from app.ai.models import Outcome
from app.ai.providers.base import AIRequest, Completion, Failure, ProviderError, Task, Usage
from app.ai.services import circuit, clients, ledger
from app.ai.services.answers import Answer
from app.ai.services.attempts import Attempt
from app.ai.services.candidates import Candidate, lineup_for
from app.ai.services.names import BUILTIN, label_of
from app.core.config import get_settings
from app.core.db import UnitOfWorkRequired, db, release_connection
from app.core.errors import ProviderFailed
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id

log = get_logger()
LONGEST_WAIT_SECONDS = 8.0
FIRST_PAUSE_SECONDS = 0.4
MOST_OUTPUT_TOKENS = 32_000
RETRIED = (Failure.RATE_LIMIT, Failure.TRANSIENT, Failure.CUT)

_REASONS = {
    Failure.CREDENTIALS: "{} did not accept its key",
    Failure.QUOTA: "{} is out of credit",
    Failure.RATE_LIMIT: "{} was over its limit",
    Failure.TRANSIENT: "{} could not be reached",
    Failure.CUT: "{} broke off in the middle",
    Failure.INVALID: "{} could not take the request",
    Failure.REFUSED: "{} declined to answer",
    Failure.UNPARSABLE: "{} gave an answer that did not fit",
}


class LengthCut(ProviderError):
    """The answer ended at the token limit: worth one more try with room for twice as much."""


@dataclass(frozen=True)
class Step:
    """What follows a failure: a pause, then the same provider again or the next."""

    pause_seconds: float
    is_final: bool
    reason: str


class Journey:
    """One request on its way. Not shared between threads."""

    def __init__(self, request: AIRequest, *, prompt_name: str = "", prompt_version: str = "") -> None:
        """Read who may be asked and let go of the database, which no call may hold."""
        if db.session().info.get("writing"):
            raise UnitOfWorkRequired("A model was asked inside a unit of work: end it first.")
        self.tenant_id = current_tenant_id()
        lineup = lineup_for(request.task)
        release_connection()
        if request.timeout_seconds == AIRequest.timeout_seconds:
            request = replace(request, timeout_seconds=get_settings().ai_timeout_seconds)
        self.request = request
        self._prompt = {"prompt_name": prompt_name, "prompt_version": str(prompt_version)}
        self._candidates = list(lineup.candidates)
        self._notes = list(lineup.notes)
        self._errors: list[ProviderError] = []
        self._tries = 0
        self.had_more_room = False

    @property
    def candidate(self) -> Candidate | None:
        """Whom to ask now."""
        return self._candidates[0] if self._candidates else None

    def attempt(self) -> Attempt:
        return Attempt(self._candidates[0], self.request)

    def succeed(self, attempt: Attempt, completion: Completion, *, outcome: Outcome = Outcome.OK) -> Answer:
        """Write the answer down and hand it over."""
        if attempt.candidate.name != BUILTIN:
            circuit.note_success(attempt.candidate.key)
        row = self._record(attempt, completion.usage, outcome, model=completion.model)
        return Answer(
            text=completion.text,
            provider=completion.provider,
            model=completion.model,
            usage=completion.usage,
            citations=completion.citations,
            latency_ms=row.latency_ms,
            call_id=row.id,
            finish_reason=completion.finish_reason,
            created_at=row.created_at,
            fallbacks=tuple(self._notes),
            first_token_ms=attempt.first_token_ms,
            **self._prompt,
        )

    def fail(self, attempt: Attempt, error: ProviderError) -> Step:
        """Write the failure down and decide what follows."""
        pause = self._pause_before_retry(attempt, error)
        self._note_health(attempt, error)
        self._errors.append(error)
        reason = _REASONS[error.failure].format(attempt.candidate.label)
        if pause is None:
            self._notes.append(f"{reason}.")
            self._candidates.pop(0)
            self._tries = 0
        else:
            self._tries += 1
        is_final = not self._candidates
        outcome = Outcome.FELL_BACK if pause is None and not is_final else Outcome.FAILED
        self._record(attempt, attempt.known_usage(), outcome, error=error)
        return Step(pause or 0.0, is_final, reason)

    def record_unfit(self, attempt: Attempt, error: ProviderError) -> None:
        """Write down an answer that did not fit, before its repair is asked for."""
        self._record(attempt, attempt.known_usage(), Outcome.FAILED, error=error)

    def record_stopped(self, attempt: Attempt) -> None:
        """Write down that the reader stopped the stream."""
        self._record(attempt, attempt.known_usage(), Outcome.STOPPED)

    def exhausted(self) -> ProviderFailed:
        """All failed: what each said, plainly."""
        said = {f"{label_of(error.provider)}: {ledger.redact(error.message)}": None for error in self._errors}
        retryable = any(error.failure in RETRIED for error in self._errors)
        return ProviderFailed(
            "No AI provider could answer. " + " ".join(f"{line}." for line in said), retryable=retryable
        )

    def _pause_before_retry(self, attempt: Attempt, error: ProviderError) -> float | None:
        """Seconds until the same provider is asked again; None means the next one's turn."""
        if isinstance(error, LengthCut):
            return self._give_room(attempt)
        if error.failure not in RETRIED or self._tries >= get_settings().ai_max_retries:
            return None
        if attempt.elapsed_ms >= 900 * self.request.timeout_seconds:
            return None  # it hung for the whole time-out; the next provider is sooner than another such wait
        growing = FIRST_PAUSE_SECONDS * 2**self._tries * random.uniform(0.5, 1.5)
        told = error.retry_after
        wait = growing if told is None else told + random.uniform(0, 0.25)
        return wait if (told or 0) <= LONGEST_WAIT_SECONDS else None

    def _give_room(self, attempt: Attempt) -> float | None:
        doubled = min(attempt.request.max_tokens * 2, MOST_OUTPUT_TOKENS)
        if self.had_more_room or self.request.max_tokens >= doubled:
            return None
        self.had_more_room = True
        self.request = replace(self.request, max_tokens=doubled)
        return 0.0

    def _note_health(self, attempt: Attempt, error: ProviderError) -> None:
        if attempt.candidate.name == BUILTIN:
            log.error("builtin_analyst_failed", task=self.request.task, reason=error.message)
            return
        reason = _REASONS[error.failure].format("it")
        if circuit.note_failure(attempt.candidate.key, error.failure, reason):
            clients.evict(attempt.candidate)

    def _record(
        self, attempt: Attempt, usage: Usage, outcome: Outcome, *, model: str = "", error: ProviderError | None = None
    ) -> Any:
        return ledger.record(
            self.tenant_id,
            usage=usage,
            outcome=outcome,
            task=str(Task(self.request.task)),
            provider=attempt.candidate.name,
            model=(model or attempt.candidate.model)[:120],
            latency_ms=attempt.elapsed_ms,
            first_token_ms=attempt.first_token_ms,
            failure=str(error.failure) if error else "",
            error=ledger.redact(error.message, attempt.candidate.api_key) if error else "",
            **self._prompt,
        )


def rest(step: Step) -> None:
    """Wait before the next try."""
    if step.pause_seconds > 0:
        time.sleep(step.pause_seconds)
