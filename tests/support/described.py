"""Holds every answer of a described route against its description."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask, Response, request
from pydantic import TypeAdapter, ValidationError

from app.core.contracts import contract_at
from app.core.describe import JSON
from app.core.dialects import speaks_json
from app.core.openapi import Route


class DescriptionWatch:
    """Collects what answers said that their descriptions do not."""

    def __init__(self, app: Flask) -> None:
        self.faults: list[str] = []
        self._app = app
        app.after_request(self.check)

    def check(self, response: Response) -> Response:
        view = self._app.view_functions.get(request.endpoint or "")
        operation = getattr(view, "operation", None)
        is_asked = request.method not in ("HEAD", "OPTIONS")
        if operation is not None and is_asked and request.url_rule and speaks_json(request.path):
            route = Route(request.url_rule, request.method, view, operation)
            fault = _fault_of(route, response)
            if fault:
                self.faults.append(f"{request.method} {request.path} answered {response.status_code}: {fault}")
        return response

    def take(self) -> list[str]:
        found, self.faults = self.faults, []
        return found


def _fault_of(route: Route, response: Response) -> str:
    """In words, or nothing. Undescribed fields are faults too, and no text passes for a number."""
    status, answers = response.status_code, route.operation.answers
    if status in answers and route.operation.media != JSON:
        return "" if response.mimetype in route.operation.media.split(", ") else f"is {response.mimetype}"
    if status in answers and answers[status] is None:
        return "" if not response.get_data() else "has a body"
    if status not in answers and status not in route.faults:
        return "this status is not described"
    shape: Any = answers[status] if status in answers else contract_at(route.rule.rule).error
    try:
        _adapter(shape).validate_json(response.get_data(), strict=True, extra="forbid")
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
    return ""


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
