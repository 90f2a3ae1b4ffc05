"""The door: a text answer from the first provider that gives one, whole or piece by piece.

Both entry points need a bound tenant and no open unit of work; both let go of the database before they call out.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from app.ai.providers.base import AIRequest, Completion, Delta, Failure, ProviderError
from app.ai.services.answers import Answer, Restart
from app.ai.services.attempts import Attempt
from app.ai.services.journey import Journey, LengthCut, rest


def complete_text(request: AIRequest, *, prompt_name: str = "", prompt_version: str = "") -> Answer:
    """The whole answer; raises ProviderFailed when nobody answers, saying what each said."""
    journey = Journey(request, prompt_name=prompt_name, prompt_version=prompt_version)
    while journey.candidate:
        attempt = journey.attempt()
        try:
            completion = attempt.complete()
            if completion.finish_reason == "length" and not journey.had_more_room:
                raise LengthCut(
                    Failure.UNPARSABLE, "the answer was cut by the token limit", provider=attempt.candidate.name
                )
        except ProviderError as error:
            rest(journey.fail(attempt, error))
            continue
        return journey.succeed(attempt, completion)
    raise journey.exhausted()


def stream_text(
    request: AIRequest, *, prompt_name: str = "", prompt_version: str = ""
) -> Iterator[Delta | Restart | Answer]:
    """Pieces of the answer, then the Answer. After a Restart all pieces before it are void.

    Closing the iterator stops the provider's stream and is written down. Raises as complete_text does.
    """
    journey = Journey(request, prompt_name=prompt_name, prompt_version=prompt_version)
    while journey.candidate:
        attempt = journey.attempt()
        try:
            completion = yield from _pieces(attempt, journey)
        except ProviderError as error:
            step = journey.fail(attempt, error)
            if attempt.first_token_ms is not None and not step.is_final:
                yield Restart(f"{step.reason}. Starting over.")
            rest(step)
            continue
        yield journey.succeed(attempt, completion)
        return
    raise journey.exhausted()


def _pieces(attempt: Attempt, journey: Journey) -> Generator[Delta, None, Completion]:
    """Pass the pieces on; the generator's value is the whole. A reader who leaves is written down."""
    with closing(attempt.stream()) as parts:
        try:
            for part in parts:
                if isinstance(part, Completion):
                    return part
                yield part
        except GeneratorExit:
            journey.record_stopped(attempt)
            raise
    raise attempt.error(Failure.CUT, "the stream ended before the answer did")
