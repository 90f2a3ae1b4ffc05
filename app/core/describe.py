"""What a JSON route takes and answers, said once beside it: the API documents are made from this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """`answers` maps a status to the type of its JSON (None: no body); `errors` are statuses past the usual ones."""

    summary: str
    tag: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answers: dict[int, Any] = field(default_factory=dict)
    errors: tuple[int, ...] = ()


def describe(
    summary: str,
    tag: str,
    *,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    answers: dict[int, Any],
    errors: tuple[int, ...] = (),
) -> Callable[[ViewT], ViewT]:
    """Describe a view. `read_json` and `read_query` refuse, as a fault of ours, any other schema than described."""

    def decorate(view: ViewT) -> ViewT:
        view.operation = Operation(summary, tag, body, query, answers, errors)  # type: ignore[attr-defined]
        return view

    return decorate
