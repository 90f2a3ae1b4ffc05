"""Answers that fit a schema: checked, repaired once by the model that gave them, else asked of the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.ai.models import Outcome
from app.ai.providers.base import AIRequest, ChatMessage, Completion, Failure, ProviderError
from app.ai.services.answers import Structured
from app.ai.services.attempts import Attempt
from app.ai.services.journey import Journey, LengthCut, rest
from app.ai.services.json_text import find_objects

SchemaT = TypeVar("SchemaT", bound=BaseModel)
QUOTED_ANSWER_CHARACTERS = 24_000
ERRORS_SENT_BACK = 20


class Unfit(ProviderError):
    """An answer without JSON, or with JSON of another shape."""


def complete_structured(request: AIRequest, *, prompt_name: str = "", prompt_version: str = "") -> Structured:
    """An answer of the shape `request.schema` asks for; raises ProviderFailed when nobody gives one."""
    if request.schema is None:
        raise TypeError("complete_structured needs a request with a schema.")
    journey = Journey(request, prompt_name=prompt_name, prompt_version=prompt_version)
    while journey.candidate:
        attempt = journey.attempt()
        try:
            try:
                completion = _whole(attempt)
                value, repaired = fit(completion, request.schema), False
            except Unfit as unfit:
                journey.record_unfit(attempt, unfit)
                attempt = Attempt(attempt.candidate, _repair_request(attempt.request, completion, unfit))
                completion = _whole(attempt)
                value, repaired = fit(completion, request.schema), True
        except ProviderError as error:
            rest(journey.fail(attempt, error))
            continue
        outcome = Outcome.REPAIRED if repaired else Outcome.OK
        return Structured(value, journey.succeed(attempt, completion, outcome=outcome), repaired)
    raise journey.exhausted()


def fit(completion: Completion, schema: type[SchemaT]) -> SchemaT:
    """The answer as `schema`; raises Unfit saying, field by field, what is wrong."""
    first_error: ValidationError | None = None
    for value in find_objects(completion.text):
        try:
            return schema.model_validate(value)
        except ValidationError as error:
            first_error = first_error or error
    said = "the answer holds no JSON object" if first_error is None else _plainly(first_error)
    raise Unfit(Failure.UNPARSABLE, said, provider=completion.provider)


def _whole(attempt: Attempt) -> Completion:
    """The answer, unless the token limit cut it: half a JSON text cannot be repaired."""
    completion = attempt.complete()
    if completion.finish_reason == "length":
        raise LengthCut(Failure.UNPARSABLE, "the answer was cut by the token limit", provider=attempt.candidate.name)
    return completion


def _repair_request(request: AIRequest, bad: Completion, unfit: Unfit) -> AIRequest:
    wish = (
        "Your answer cannot be used as it is:\n"
        f"{unfit.message}\n\n"
        "Send the whole answer again as one JSON object that fits the schema, corrected, and nothing else."
    )
    answer = ChatMessage("assistant", bad.text[:QUOTED_ANSWER_CHARACTERS] or "(empty)")
    return replace(request, messages=(*request.messages, answer, ChatMessage("user", wish)))


def _plainly(error: ValidationError) -> str:
    lines = [
        f"- {'.'.join(map(str, item['loc'])) or 'the object'}: {item['msg']}"
        for item in error.errors()[:ERRORS_SENT_BACK]
    ]
    return "\n".join(lines)
