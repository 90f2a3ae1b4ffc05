"""Anthropic's Messages API: `/v1/messages`, whole and streamed, and `/v1/models`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request

from app.sandbox import frame
from app.sandbox.answers import compose, streaming, tokens
from app.sandbox.answers.compose import Question, Reply
from app.sandbox.faults import Fault
from app.sandbox.services import anthropic_checks
from app.sandbox.services.anthropic_checks import MODELS, Refused

KINDS = {
    400: ("invalid_request_error", "The request was invalid."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "Not found"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit of 50 requests per minute."),
    504: ("timeout_error", "Request timed out"),
    529: ("overloaded_error", "Overloaded"),
}
FINISH = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}


def service() -> frame.Service:
    """Anthropic, under `/anthropic`."""
    bp = Blueprint("anthropic", __name__)
    bp.post("/v1/messages")(messages)
    bp.get("/v1/models")(list_models)
    bp.get("/v1/models/<model_id>")(get_model)
    bp.register_error_handler(Refused, lambda refused: _error(refused.status, refused.message))
    about = "Anthropic Messages, whole and streamed; models"
    return frame.Service("anthropic", bp, _refuse, about, compose.ACTIONS)


def messages() -> Response:
    """Answer a conversation, after the checks the platform makes."""
    anthropic_checks.check_headers()
    body = anthropic_checks.checked_body()
    question = anthropic_checks.question(body)
    reply = compose.compose(question)
    thinks = anthropic_checks.thinks(body)
    if body.get("stream"):
        return streaming.respond(_events(question, reply, thinks), _headers())
    if frame.fault_is("stream_cut"):
        frame.drop_connection()
    if frame.fault_is("error_after_200"):
        return _error(529, "Overloaded")
    return frame.json_response(_message(question, reply, thinks), headers=_headers())


def list_models() -> Response:
    """The models there are, newest first."""
    anthropic_checks.check_headers()
    data = [_model(name) for name in MODELS]
    page = {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
    return frame.json_response(page, headers=_headers())


def get_model(model_id: str) -> Response:
    """One model."""
    anthropic_checks.check_headers()
    if model_id not in MODELS:
        return _error(404, f"model: {model_id}")
    return frame.json_response(_model(model_id), headers=_headers())


def _model(name: str) -> dict[str, Any]:
    return {
        "type": "model", "id": name, "display_name": name.replace("-", " ").title(),
        "created_at": "2026-09-28T00:00:00Z", "lifecycle": "active", "deprecated_at": None, "retires_at": None,
        "line": None, "capabilities": None, "max_input_tokens": 1_000_000, "max_tokens": 128_000,
    }  # fmt: skip


def _message(question: Question, reply: Reply, thinks: bool) -> dict[str, Any]:
    text = {"type": "text", "text": reply.text, "citations": None}
    content = [_thought()] if thinks else []
    return {
        "id": f"msg_sandbox{frame.sandbox().next_number():012d}",
        "type": "message", "role": "assistant", "model": question.model,
        "content": [] if frame.fault_is("empty_choices") else [*content, text],
        "stop_reason": FINISH[reply.finish], "stop_sequence": None, "stop_details": _stop_details(reply),
        "usage": _usage(question, reply.output_tokens),
    }  # fmt: skip


def _thought() -> dict[str, Any]:
    return {"type": "thinking", "thinking": "", "signature": "c2FuZGJveA=="}


def _stop_details(reply: Reply) -> dict[str, Any] | None:
    if reply.finish != "refusal":
        return None
    return {"type": "refusal", "category": "general_harms", "explanation": None}


def _usage(question: Question, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": question.input_tokens, "output_tokens": output_tokens,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "service_tier": "standard",
    }  # fmt: skip


def _events(question: Question, reply: Reply, thinks: bool) -> Iterator[str]:
    """A streamed message, as typed events."""
    start = {**_message(question, reply, thinks=False), "content": [], "stop_reason": None, "stop_details": None}
    yield _event("message_start", message={**start, "usage": _usage(question, 1)})
    yield _event("ping")
    index = 0
    if thinks:
        yield from _thought_events()
        index = 1
    yield _event("content_block_start", index=index, content_block={"type": "text", "text": ""})
    try:
        yield from streaming.paced(reply.text, _wording(index))
    except streaming.Cut:
        return
    yield _event("content_block_stop", index=index)
    delta = {"stop_reason": FINISH[reply.finish], "stop_sequence": None, "stop_details": _stop_details(reply)}
    yield _event("message_delta", delta=delta, usage=_usage(question, reply.output_tokens))
    yield _event("message_stop")


def _thought_events() -> Iterator[str]:
    yield _event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""})
    yield _event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2FuZGJveA=="})
    yield _event("content_block_stop", index=0)


def _event(kind: str, **data: Any) -> str:
    return streaming.event({"type": kind, **data}, kind)


def _wording(index: int) -> streaming.Wording:
    def piece(text: str) -> str:
        return _event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})

    return streaming.Wording(
        piece=piece,
        idle=_event("ping"),
        failure=streaming.event(_error_body(529, "Overloaded"), "error"),
        empty=piece(""),
    )


def _refuse(status: int, fault: Fault) -> Response:
    """An error the platform's way; out of credit is a spend limit that was reached."""
    if fault.action == "insufficient_quota":
        details = {"error_code": "enforced_spend_limit_reached"}
        return _error(429, "You have reached your specified API usage limits.", details=details)
    return _error(status, str(fault.params.get("message", "")), headers=frame.retry_headers(status, fault))


def _error(
    status: int, message: str, *, details: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> Response:
    retriable = {"x-should-retry": "true" if status in (408, 409, 429) or status >= 500 else "false"}
    if details:
        retriable = {"x-should-retry": "false"}
    body = _error_body(status, message, details)
    return frame.json_response(body, status, {**_headers(body["request_id"]), **retriable, **(headers or {})})


def _error_body(status: int, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    kind, usual = KINDS.get(status, ("api_error", "Internal server error"))
    error: dict[str, Any] = {"type": kind, "message": message or usual}
    if details:
        error["details"] = details
    return {"type": "error", "error": error, "request_id": _request_id()}


def _request_id() -> str:
    return f"req_sandbox{frame.sandbox().next_number():012d}"


def _headers(request_id: str = "") -> dict[str, str]:
    reset = (frame.sandbox().clock.now() + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    used = tokens.count(request.get_data(as_text=True))
    limits = {"requests": (50, 1), "tokens": (400_000, used), "input-tokens": (300_000, used)}
    headers = {
        "request-id": request_id or _request_id(),
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000001",
    }
    for name, (limit, spent) in limits.items():
        headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
        headers[f"anthropic-ratelimit-{name}-remaining"] = str(max(0, limit - spent))
        headers[f"anthropic-ratelimit-{name}-reset"] = reset
    return headers
