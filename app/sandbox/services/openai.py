"""OpenAI's chat completions, whole and streamed, as OpenAI, DeepSeek, Groq and local servers speak them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from app.sandbox import frame
from app.sandbox.answers import compose, streaming, tokens
from app.sandbox.faults import Fault
from app.sandbox.services import openai_checks, openai_shape
from app.sandbox.services.openai_checks import Refused
from app.sandbox.services.openai_dialects import DIALECTS, NAMES, Dialect

__all__ = ["NAMES", "service"]

KINDS = {
    400: ("invalid_request_error", None, "Invalid request."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    402: ("unknown_error", "invalid_request_error", "Insufficient Balance"),
    403: (
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached on requests per min (RPM)."),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
}
ABOUT = {
    "openai": "Chat completions of OpenAI, DeepSeek, Groq and local servers, by the model's name; models",
    "deepseek": "The same as DeepSeek alone",
    "groq": "The same as Groq alone",
    "local": "The same as a local server, which needs no key",
}


def service(name: str) -> frame.Service:
    """One of the platforms, under its name; `/openai` speaks for all of them."""
    bp = Blueprint(name, __name__)
    for prefix in ("", "/v1", "/openai/v1"):
        mark = prefix.replace("/", "_")
        bp.post(f"{prefix}/chat/completions", endpoint=f"chat{mark}")(_chat(name))
        bp.get(f"{prefix}/models", endpoint=f"models{mark}")(_models(name))
        bp.get(f"{prefix}/models/<path:model_id>", endpoint=f"model{mark}")(_model(name))
    bp.register_error_handler(
        Refused, lambda refused: error(refused.status, refused.message, param=refused.param, code=refused.code)
    )
    return frame.Service(name, bp, _refuser(name), ABOUT[name], compose.ACTIONS)


def _chat(name: str) -> Any:
    def chat_completions() -> Response:
        """Answer a conversation, after the checks the platform makes."""
        body = openai_checks.read_body()
        dialect = openai_checks.dialect_for(name, body)
        openai_checks.check_key(dialect)
        openai_checks.check(body, dialect)
        question = openai_checks.question(body, name)
        reply = compose.compose(question)
        thought = dialect.thought_field if _thinks(body, dialect) else ""
        if body.get("stream"):
            wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
            return streaming.respond(openai_shape.chunks(question, reply, thought, wants_usage), headers())
        if frame.fault_is("stream_cut"):
            frame.drop_connection()
        if frame.fault_is("error_after_200"):
            return error(500, "The server had an error while processing your request. Sorry about that!")
        return openai_shape.whole(openai_shape.completion(question, reply, thought), headers())

    return chat_completions


def _models(name: str) -> Any:
    def list_models() -> Response:
        """The models there are."""
        openai_checks.check_key(DIALECTS[name])
        return frame.json_response(
            {"object": "list", "data": [_row(*pair) for pair in _known(name)]}, headers=headers()
        )

    return list_models


def _model(name: str) -> Any:
    def get_model(model_id: str) -> Response:
        """One model."""
        openai_checks.check_key(DIALECTS[name])
        for model, owner in _known(name):
            if model == model_id:
                return frame.json_response(_row(model, owner), headers=headers())
        return error(404, f"The model '{model_id}' does not exist", param="model", code="model_not_found")

    return get_model


def _known(name: str) -> list[tuple[str, str]]:
    """Model and owner; `/openai` knows everybody's."""
    dialects = DIALECTS.values() if name == "openai" else [DIALECTS[name]]
    return [(model, dialect.name) for dialect in dialects for model in dialect.models]


def _row(model: str, owner: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": 1_790_000_000, "owned_by": owner}


def _thinks(body: dict[str, Any], dialect: Dialect) -> bool:
    """Whether the answer comes with reasoning: DeepSeek unless told not to, Groq's open models by default."""
    if dialect.name == "deepseek":
        return bool((body.get("thinking") or {}).get("type") != "disabled")
    return dialect.name == "groq" and "gpt-oss" in body["model"]


def _refuser(name: str) -> Any:
    def refuse(status: int, fault: Fault) -> Response:
        """An error the platform's way; DeepSeek says 402 where the others say 429 when credit is out."""
        if fault.action == "insufficient_quota":
            if name == "deepseek" or "deepseek" in request.get_data(as_text=True)[:200]:
                return error(402, "Insufficient Balance")
            message = "You exceeded your current quota, please check your plan and billing details."
            return error(429, message, kind="insufficient_quota", code="insufficient_quota")
        return error(status, str(fault.params.get("message", "")), extra=frame.retry_headers(status, fault))

    return refuse


def error(
    status: int,
    message: str = "",
    *,
    kind: str | None = None,
    param: str | None = None,
    code: str | None = None,
    extra: dict[str, str] | None = None,
) -> Response:
    """An error in OpenAI's shape."""
    usual = KINDS.get(status, ("server_error", None, "The server had an error while processing your request."))
    body = {"message": message or usual[2], "type": kind or usual[0], "param": param, "code": code or usual[1]}
    return frame.json_response({"error": body}, status, {**headers(), **(extra or {})})


def headers() -> dict[str, str]:
    """Request id and rate limits."""
    used = tokens.count(request.get_data(as_text=True))
    return {
        "x-request-id": f"req_sandbox{frame.sandbox().next_number():012d}",
        "openai-processing-ms": "12",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": str(max(0, 200_000 - used)),
        "x-ratelimit-reset-tokens": "6ms",
    }
