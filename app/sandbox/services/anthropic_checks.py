"""What Anthropic checks of a request, in its order and words."""

from __future__ import annotations

from typing import Any

from flask import request

from app.sandbox.answers.compose import Question
from app.sandbox.schema_rules import anthropic_problem

MODELS = (
    "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-opus-5", "claude-sonnet-5", "claude-opus-4-8",
    "claude-haiku-4-5",
)  # fmt: skip
VERSIONS = ("2023-06-01", "2026-10-21")
LARGEST_BODY_BYTES = 32 * 1024 * 1024
LARGEST_OUTPUT = 128_000
CONTEXT_TOKENS = 1_000_000
# From the fifth family on, sampling, thinking budgets and a prefilled answer are refused.
WITHOUT_SAMPLING = ("claude-sonnet-5", "claude-opus-5", "claude-haiku-5", "claude-opus-4-8")
ALWAYS_THINKING = ("claude-sonnet-5-5", "claude-opus-5-5")


class Refused(Exception):
    """The request is turned down with this status and message."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
        self.message = message


def check_headers() -> None:
    """Refuse a call without a key or a known version."""
    key = request.headers.get("x-api-key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not key:
        raise Refused(401, "x-api-key header is required")
    if "invalid" in key:
        raise Refused(401, "invalid x-api-key")
    version = request.headers.get("anthropic-version")
    if version is None:
        raise Refused(400, "anthropic-version: header is required")
    if version not in VERSIONS:
        raise Refused(400, f'anthropic-version: "{version}" is not a valid version')


def checked_body() -> dict[str, Any]:
    """The body, when the platform would take it."""
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        raise Refused(413, "Request exceeds the maximum size")
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "The request body is not valid JSON")
    for name in ("model", "max_tokens", "messages"):
        if body.get(name) is None:
            raise Refused(400, f"{name}: Field required")
    if body["model"] not in MODELS:
        raise Refused(404, f"model: {body['model']}")
    _check_max_tokens(body)
    _check_messages(body)
    _check_model_rules(body)
    _check_output_config(body)
    return body


def question(body: dict[str, Any]) -> Question:
    """The request as the answering side reads it."""
    found = Question(
        service="anthropic",
        model=body["model"],
        system=_text(body.get("system") or ""),
        turns=tuple((turn["role"], _text(turn["content"])) for turn in body["messages"]),
        max_tokens=body["max_tokens"],
        schema=((body.get("output_config") or {}).get("format") or {}).get("schema"),
    )
    if found.input_tokens > CONTEXT_TOKENS:
        raise Refused(400, f"prompt is too long: {found.input_tokens} tokens > {CONTEXT_TOKENS} maximum")
    return found


def thinks(body: dict[str, Any]) -> bool:
    """Whether an answer begins with a thinking block: newer models do, unless they are asked for little effort."""
    if not body["model"].startswith(("claude-sonnet-5", "claude-opus-5", "claude-haiku-5")):
        return False
    effort = (body.get("output_config") or {}).get("effort", "high")
    kind = (body.get("thinking") or {}).get("type", "adaptive")
    return effort != "low" and kind == "adaptive"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content)


def _check_max_tokens(body: dict[str, Any]) -> None:
    limit = body["max_tokens"]
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise Refused(400, "max_tokens: Input should be a valid integer")
    if limit < 1:
        raise Refused(400, "max_tokens: Input should be greater than or equal to 1")
    if limit > LARGEST_OUTPUT:
        most = f"max_tokens: {limit} > {LARGEST_OUTPUT}, which is the maximum allowed number of output tokens for"
        raise Refused(400, f"{most} {body['model']}")


def _check_messages(body: dict[str, Any]) -> None:
    turns = body["messages"]
    if not isinstance(turns, list):
        raise Refused(400, "messages: Input should be a valid list")
    if not turns:
        raise Refused(400, "messages: at least one message is required")
    for number, turn in enumerate(turns):
        _check_turn(number, turn)
    if turns[0]["role"] != "user":
        raise Refused(400, 'messages: first message must use the "user" role')
    if isinstance(body.get("system"), list):
        _check_content("system", body["system"])


def _check_turn(number: int, turn: Any) -> None:
    if not isinstance(turn, dict) or "content" not in turn:
        raise Refused(400, f"messages.{number}.content: Field required")
    if turn.get("role") not in ("user", "assistant"):
        raise Refused(400, f"messages.{number}.role: Input should be 'user' or 'assistant'")
    _check_content(f"messages.{number}", turn["content"])


def _check_content(where: str, content: Any) -> None:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list):
        raise Refused(400, f"{where}.content: Input should be a valid string or list")
    for block in blocks:
        if not isinstance(block, dict) or "type" not in block:
            raise Refused(400, f"{where}.content: each block needs a type")
        if block["type"] == "text" and not str(block.get("text", "")).strip():
            raise Refused(400, f"{where}: text content blocks must be non-empty")


def _check_model_rules(body: dict[str, Any]) -> None:
    model, thinking = body["model"], body.get("thinking") or {}
    if model.startswith(WITHOUT_SAMPLING):
        for name in ("temperature", "top_p", "top_k"):
            if name in body and not (name == "temperature" and body[name] == 1):
                raise Refused(400, f"{name}: sampling parameters are not supported by {model}")
        if thinking.get("type") == "enabled":
            raise Refused(400, f"thinking.type: 'enabled' is not supported by {model}; use 'adaptive'")
        if body["messages"][-1]["role"] == "assistant":
            last = (
                "This model does not support assistant message prefill. The conversation must end with a user message."
            )
            raise Refused(400, last)
    if model in ALWAYS_THINKING and thinking.get("type") == "disabled":
        raise Refused(400, f"thinking.type: 'disabled' is not supported by {model}")


def _check_output_config(body: dict[str, Any]) -> None:
    config = body.get("output_config")
    if config is None:
        return
    if not isinstance(config, dict):
        raise Refused(400, "output_config: Input should be an object")
    effort = config.get("effort")
    if effort is not None and effort not in ("low", "medium", "high", "xhigh", "max"):
        raise Refused(400, "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    if effort is not None and body["model"] == "claude-haiku-4-5":
        raise Refused(400, "This model does not support the effort parameter.")
    shape = config.get("format")
    if shape is None:
        return
    if not isinstance(shape, dict) or shape.get("type") != "json_schema" or not isinstance(shape.get("schema"), dict):
        raise Refused(400, "output_config.format: Input should be {type: 'json_schema', schema: {...}}")
    problem = anthropic_problem(shape["schema"])
    if problem:
        raise Refused(400, f"output_config.format.schema: {problem}")
