"""What the OpenAI-shaped platforms check of a chat request, in their words."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from app.sandbox.answers.compose import Question
from app.sandbox.schema_rules import openai_strict_problem
from app.sandbox.services import openai_dialects
from app.sandbox.services.openai_dialects import Dialect

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
CONTEXT_TOKENS = 400_000
LARGEST_OUTPUT = 128_000
_SCHEMA_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}$")


class Refused(Exception):
    """The request is turned down."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code


def check_key(dialect: Dialect) -> None:
    """Refuse a call without a key, or with one that says it is invalid."""
    header = request.headers.get("Authorization", "")
    key = header.removeprefix("Bearer ").strip()
    if dialect.needs_key and (not header.startswith("Bearer ") or not key):
        raise Refused(
            401, "You didn't provide an API key. You need to provide your API key in an Authorization header."
        )
    if "invalid" in key:
        raise Refused(401, f"Incorrect API key provided: {key[:3]}***{key[-2:]}.", code="invalid_api_key")


def read_body() -> dict[str, Any]:
    """The body as JSON; nothing is checked of it yet."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "We could not parse the JSON body of your request.")
    return body


def check(body: dict[str, Any], dialect: Dialect) -> None:
    """Refuse what the platform would refuse."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refused(400, "you must provide a model parameter")
    if body["model"] not in dialect.models and not (dialect.name == "local" and body["model"].startswith("local")):
        message = f"The model `{body['model']}` does not exist or you do not have access to it."
        raise Refused(404, message, code="model_not_found", param="model")
    check_messages(body)
    _check_sampling(body, dialect)
    _check_stream(body)
    _check_format(body, dialect)


def question(body: dict[str, Any], service: str) -> Question:
    """The request as the answering side reads it."""
    turns = [(turn["role"], text_of(turn.get("content"))) for turn in body["messages"]]
    response_format = body.get("response_format") or {}
    found = Question(
        service=service,
        model=body["model"],
        system="\n".join(text for role, text in turns if role in ("system", "developer")),
        turns=tuple((role, text) for role, text in turns if role not in ("system", "developer")),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        schema=(response_format.get("json_schema") or {}).get("schema"),
        any_json=response_format.get("type") == "json_object",
    )
    if found.input_tokens > CONTEXT_TOKENS:
        message = f"This model's maximum context length is {CONTEXT_TOKENS} tokens. However, your messages resulted in "
        raise Refused(400, f"{message}{found.input_tokens} tokens.", param="messages", code="context_length_exceeded")
    return found


def text_of(content: Any) -> str:
    """A message's text, whether it came plain or in parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def check_messages(body: dict[str, Any]) -> None:
    """Refuse missing, empty and misshapen messages."""
    turns = body.get("messages")
    if turns is None:
        raise Refused(
            400, "Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter"
        )
    if not isinstance(turns, list):
        raise Refused(
            400, "Invalid type for 'messages': expected an array of objects.", param="messages", code="invalid_type"
        )
    if not turns:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1."
        raise Refused(400, message, param="messages", code="empty_array")
    for number, turn in enumerate(turns):
        where = f"messages[{number}]"
        if not isinstance(turn, dict) or turn.get("role") not in ROLES:
            known = ", ".join(f"'{role}'" for role in ROLES)
            message = f"Invalid value: '{where}.role'. Supported values are: {known}."
            raise Refused(400, message, param=f"{where}.role", code="invalid_value")
        if not isinstance(turn.get("content"), str | list) and turn["role"] != "assistant":
            message = f"Invalid type for '{where}.content': expected a string or an array."
            raise Refused(400, message, param=f"{where}.content", code="invalid_type")


def _check_sampling(body: dict[str, Any], dialect: Dialect) -> None:
    if "max_tokens" in body and not dialect.takes_max_tokens:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        raise Refused(400, message, param="max_tokens", code="unsupported_parameter")
    for name in ("max_tokens", "max_completion_tokens"):
        limit = body.get(name)
        if limit is not None and (not isinstance(limit, int) or not 1 <= limit <= LARGEST_OUTPUT):
            raise Refused(400, f"Invalid value for '{name}'.", param=name, code="invalid_value")
    temperature = body.get("temperature")
    if temperature is None:
        return
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
        raise Refused(400, "Invalid 'temperature': must be between 0 and 2.", param="temperature", code="invalid_value")
    if temperature != 1 and not dialect.takes_temperature:
        message = f"Unsupported value: 'temperature' does not support {temperature} with this model. "
        message += "Only the default (1) value is supported."
        raise Refused(400, message, param="temperature", code="unsupported_value")


def _check_stream(body: dict[str, Any]) -> None:
    if body.get("stream_options") is not None and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise Refused(400, message, param="stream_options")


def _check_format(body: dict[str, Any], dialect: Dialect) -> None:
    shape = body.get("response_format")
    if shape is None:
        return
    kind = shape.get("type") if isinstance(shape, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        message = (
            "Invalid value: 'response_format.type'. Supported values are: 'text', 'json_object', and 'json_schema'."
        )
        raise Refused(400, message, param="response_format.type", code="invalid_value")
    if kind == "json_object":
        _check_json_is_named(body)
    if kind == "json_schema":
        _check_schema(body, shape.get("json_schema"), dialect)


def _check_json_is_named(body: dict[str, Any]) -> None:
    """JSON mode without the word JSON in the prompt lets models write blanks without end, so it is refused."""
    if not any("json" in text_of(turn.get("content")).lower() for turn in body["messages"]):
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise Refused(400, message, param="messages")


def _check_schema(body: dict[str, Any], wanted: Any, dialect: Dialect) -> None:
    if not dialect.schema_models:
        raise Refused(400, "This response_format type is unavailable now")
    if not body["model"].startswith(dialect.schema_models):
        raise Refused(400, "This model does not support response format `json_schema`.", param="response_format")
    if body.get("stream") and not dialect.streams_schema:
        raise Refused(400, "response_format `json_schema` does not support streaming.", param="response_format")
    if not isinstance(wanted, dict) or not _SCHEMA_NAME.match(str(wanted.get("name", ""))):
        message = "Invalid 'response_format.json_schema.name': it must be 1 to 64 letters, digits, '_' or '-'."
        raise Refused(400, message, param="response_format.json_schema.name", code="invalid_value")
    if not isinstance(wanted.get("schema"), dict):
        message = "Missing required parameter: 'response_format.json_schema.schema'."
        raise Refused(400, message, param="response_format.json_schema.schema", code="missing_required_parameter")
    problem = openai_strict_problem(wanted["schema"]) if wanted.get("strict") else None
    if problem:
        message = f"Invalid schema for response_format '{wanted['name']}': {problem}"
        raise Refused(400, message, param="response_format", code="invalid_json_schema")


def dialect_for(service: str, body: dict[str, Any]) -> Dialect:
    """The dialect of a request."""
    return openai_dialects.of_model(service, str(body.get("model") or ""))
