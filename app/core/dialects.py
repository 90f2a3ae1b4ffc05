"""How each API says an error: a function from AppError to a response, found by the longest URL prefix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from app.core.db import db
from app.core.errors import AppError
from app.core.htmx import go_to, is_htmx, toast_header
from app.core.http import shown_path, wants_json
from app.core.logs import get_logger

log = get_logger()
Dialect = Callable[[AppError], Response]
_dialects: dict[str, Dialect] = {}

_HTTP_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}
_HTTP_MESSAGES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The body is larger than this address takes.",
}


def register_dialect(prefix: str, dialect: Dialect) -> None:
    """Answer errors under a URL prefix in this dialect. The prefix matches whole path segments."""
    _dialects[prefix] = dialect


def find_dialect(path: str) -> Dialect:
    matches = [p for p in _dialects if path == p or path.startswith(p.rstrip("/") + "/")]
    return _dialects[max(matches, key=len)] if matches else html_dialect


def speaks_only_json(path: str) -> bool:
    """Whether this address belongs to a contract alone, so that no form is ever read there."""
    dialect = find_dialect(path)
    return dialect is not html_dialect and not getattr(dialect, "serves_pages", False)


def speaks_json(path: str) -> bool:
    """Whether this call is a program's: at an address of a contract, and not a browser's at one both share."""
    dialect = find_dialect(path)
    return dialect is not html_dialect and (not getattr(dialect, "serves_pages", False) or wants_json())


def insight_dialect(error: AppError) -> Response:
    """`{"error": text, "code"?, "details"?}`, as the insight contract shows."""
    body: dict[str, Any] = {"error": error.message, "code": error.code}
    if error.details:
        body["details"] = error.details
    return make_response(jsonify(body), error.status)


def json_or_html(dialect: Dialect) -> Dialect:
    """For addresses that are a contract's for JSON callers and pages for browsers."""

    def choose(error: AppError) -> Response:
        return dialect(error) if wants_json() else html_dialect(error)

    choose.serves_pages = True  # type: ignore[attr-defined]
    return choose


def html_dialect(error: AppError) -> Response:
    """A page that says what happened; for htmx a toast that leaves the page as it is; sign-in for a 401."""
    if error.code == "mfa_enrolment_required":
        return go_to("/app/settings/security")
    if error.status == 401:
        return go_to(
            "/login?" + urlencode({"next": request.full_path.rstrip("?")}) if request.method == "GET" else "/login"
        )
    if is_htmx():
        response = make_response("", error.status)
        response.headers["HX-Trigger"] = toast_header(error.message, "bad")
        response.headers["HX-Reswap"] = "none"
        return response
    template = {403: "errors/403.html", 404: "errors/404.html", 500: "errors/500.html"}.get(error.status)
    page = render_template(
        template or "errors/generic.html", error=error, status=error.status, request_id=g.get("request_id", "")
    )
    return make_response(page, error.status)


def as_app_error(error: Exception) -> AppError:
    """Any exception as an AppError; what is neither ours nor HTTP's becomes a bare internal error."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, HTTPException) and error.code:
        wrapped = AppError(
            _HTTP_MESSAGES.get(error.code) or error.description or error.name, code=_HTTP_CODES.get(error.code, "error")
        )
        wrapped.status = error.code
        if error.code == 405 and getattr(error, "valid_methods", None):
            wrapped.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return wrapped
    internal = AppError("Something went wrong on our side. It has been noted.", code="internal_error")
    internal.status = 500
    return internal


def respond(error: Exception) -> Response:
    """The one app-wide error handler."""
    if isinstance(error, HTTPException) and error.code and 300 <= error.code < 400:
        return make_response(error.get_response())
    app_error = as_app_error(error)
    db.session.rollback()
    if app_error.status >= 500 and not isinstance(error, AppError):
        log.error("unhandled_error", path=shown_path(), exc_info=error)
    response = find_dialect(request.path)(app_error)
    response.headers.update(app_error.headers)
    if app_error.status == 401 and speaks_json(request.path):
        response.headers.setdefault("WWW-Authenticate", "Bearer")
    return response


def init_app(app: Flask) -> None:
    app.register_error_handler(Exception, respond)
