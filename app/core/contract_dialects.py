"""How the stratum, sync, tobermory and messaging contracts say an error."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, jsonify, make_response

from app.core.clock import iso, utc_now
from app.core.dialects import register_dialect
from app.core.errors import AppError, ValidationFailed

_WORDS = {"validation_failed": "validation_error", "unauthenticated": "unauthorized", "permission_denied": "forbidden"}
_SYNC_WORDS = {"rate_limited": "RATE_LIMIT_EXCEEDED", "provider_failed": "PLATFORM_ERROR"}


def stratum_dialect(error: AppError) -> Response:
    """`{"success": false, "error", "code": "NOT_FOUND", "details": {}}`."""
    body = {"success": False, "error": error.message, "code": _code(error).upper(), "details": error.details}
    return make_response(jsonify(body), error.status)


def sync_dialect(error: AppError) -> Response:
    """`{"error": {"code", "message", "details"}}`."""
    code = _SYNC_WORDS.get(error.code) or _code(error).upper()
    body = {"error": {"code": code, "message": error.message, "details": error.details}}
    return make_response(jsonify(body), error.status)


def tobermory_dialect(error: AppError) -> Response:
    """`{"error", "details": text, "code"}`; missing and invalid parameters are 400 there, and nothing is 422."""
    field = str(error.details.get("field", ""))
    details = f"{field}: {error.message}" if field and not error.message.startswith(field) else error.message
    body = {"error": error.message, "details": details, "code": _code(error).upper()}
    return make_response(jsonify(body), 400 if error.status == 422 else error.status)


def messaging_dialect(error: AppError) -> Response:
    """`{"error", "message", "details", "timestamp", "request_id"}`, a bad field named once more as `field`.

    There 400 is a field that is not acceptable, 409 a duplicate, and 422 what a rule of the business refuses.
    """
    code = "rate_limit_exceeded" if error.status == 429 else _code(error)
    status = {"validation_failed": 400, "invalid_transition": 422}.get(error.code, error.status)
    given = (error.given if isinstance(error, ValidationFailed) else None) or {}
    body: dict[str, Any] = {"error": code, "message": error.message, "details": given | error.details}
    if error.details.get("field"):
        body["field"] = error.details["field"]
    if "retry_after" in error.details:
        body["retry_after_seconds"] = error.details["retry_after"]
    body |= {"timestamp": iso(utc_now()), "request_id": g.get("request_id", "")}
    return make_response(jsonify(body), status)


def _code(error: AppError) -> str:
    return _WORDS.get(error.code, error.code)


def init_app(_app: Flask) -> None:
    register_dialect("/api", tobermory_dialect)
    register_dialect("/api/v1", stratum_dialect)
    register_dialect("/api/v1/cdp/audience-sync", sync_dialect)
    register_dialect("/messaging/api/v1", messaging_dialect)
