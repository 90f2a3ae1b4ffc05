"""Addresses that pages of any site may call: with a credential of their own in the header, never with a cookie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, make_response, request

ViewT = TypeVar("ViewT", bound=Callable[..., Any])
PREFLIGHT_SECONDS = 7200  # as long as browsers remember it at most


def any_origin(view: ViewT) -> ViewT:
    """Mark a view as open to pages of other sites that send an Authorization header."""
    view.takes_any_origin = True  # type: ignore[attr-defined]
    return view


def is_open() -> bool:
    """Whether this request's address is one of them."""
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "takes_any_origin", False))


def has_own_credential() -> bool:
    """Whether the call carries a bearer of its own: then no cookie of the browser is looked at."""
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


def answer_preflight() -> Response | None:
    """Tell a browser what a page may send here; asked before the call itself, without any credential."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not is_open():
        return None
    response = make_response("", 204)
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def _allow(response: Response) -> Response:
    if is_open():
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def init_app(app: Flask) -> None:
    app.before_request(answer_preflight)
    app.after_request(_allow)
