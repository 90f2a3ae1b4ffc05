"""What a JSON route takes and answers, said once beside it: the API documents are made from this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, Field

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
JSON = "application/json"


@dataclass(frozen=True)
class Operation:
    """`answers` maps a status to the type of its JSON (None: no body); `errors` are statuses past the usual ones.

    `media` is what the first answer is when it is not JSON, as text/csv; several with commas between.
    """

    summary: str
    tag: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answers: dict[int, Any] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    media: str = JSON

    @property
    def is_json(self) -> bool:
        """Whether the types in `answers` say what is in the body."""
        return self.media == JSON

    @property
    def media_types(self) -> list[str]:
        return [name.strip() for name in self.media.split(",")]


def describe(
    summary: str,
    tag: str,
    *,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    answers: dict[int, Any],
    errors: tuple[int, ...] = (),
    media: str = JSON,
) -> Callable[[ViewT], ViewT]:
    """Describe a view. `read_json` and `read_query` refuse, as a fault of ours, any other schema than described."""

    def decorate(view: ViewT) -> ViewT:
        view.operation = Operation(summary, tag, body, query, answers, errors, media)  # type: ignore[attr-defined]
        return view

    return decorate


class Message(BaseModel):
    """A sentence that says what was done."""

    message: str = Field(examples=["Done"])
