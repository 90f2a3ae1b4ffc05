"""The errors a call can answer with, beside those its description lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

from app.core.contracts import Contract
from app.core.describe import JSON, Operation

Json = dict[str, Any]
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
FAULTS = {
    400: ("BadRequest", "The request cannot be read: broken JSON, or a character that cannot be kept."),
    401: ("Unauthenticated", "No credential, or one that is not good."),
    402: ("LimitOfPlan", "The workspace's plan does not allow more."),
    403: ("Forbidden", "The caller may not do this."),
    404: ("NotFound", "There is nothing here with this id, or it is another workspace's."),
    405: ("MethodNotAllowed", "This address does not take that method; `Allow` names those it takes."),
    409: ("Conflict", "It does not fit the state things are in; the message says why."),
    410: ("Gone", "It was there once and is no more."),
    413: ("TooLarge", "The body is larger than this address takes."),
    415: ("UnsupportedMediaType", "The body is not application/json."),
    422: ("Invalid", "A field is not acceptable; `field` names the first one and `errors` lists all."),
    429: ("RateLimited", "Too many calls. `Retry-After` says how many seconds to wait."),
    500: ("InternalError", "Something went wrong on our side. It has been noted."),
    502: ("OutsideFailed", "An outside service did not do its part; `retryable` says whether to try again."),
    503: ("Unavailable", "A part of the product is away for the moment; nothing was lost."),
    504: ("StillWorking", "It takes longer than a caller can wait, and goes on in the background."),
}


def fault_name(status: int) -> str:
    return FAULTS[status][0]


def usual_faults(contract: Contract, rule: Rule, method: str, view: Callable[..., Any]) -> set[int]:
    """Where each can occur: 404 with an id in the address, 413 and 415 with a body, 403 where someone is asked for."""
    operation: Operation = view.operation  # type: ignore[attr-defined]
    is_public = getattr(view, "is_public", False)
    found = {400, 429, 500}
    if not (is_public and getattr(view, "ignores_bearer", False)):
        found.add(401)
    if not is_public or method in WRITES:
        found.add(403)
    if rule.arguments:
        found.add(404)
    if operation.body is not None:
        found |= {413, 415}
    if operation.body is not None or operation.query is not None:
        found.add(contract.invalid)
    return found


def fault_responses(contract: Contract, statuses: list[int]) -> Json:
    """A component for each status: all have the body of the contract's errors."""
    schema = {"$ref": f"#/components/schemas/{contract.error.__name__}"}
    made = {}
    for status in statuses:
        name, words = FAULTS[status]
        made[name] = {"description": words, "content": {JSON: {"schema": schema}}}
        if status == 429:
            made[name]["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return made
