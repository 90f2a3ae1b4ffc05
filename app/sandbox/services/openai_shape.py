"""Answers in the chat-completion shape, whole and in chunks; what a platform adds goes in as extras."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Response

from app.sandbox import frame
from app.sandbox.answers import streaming
from app.sandbox.answers.compose import Question, Reply

FINISH = {"stop": "stop", "length": "length", "refusal": "stop"}
THOUGHT = "The question is plain; I will answer it directly."


def completion(
    question: Question, reply: Reply, thought_field: str = "", extras: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A whole answer."""
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.finish == "refusal":
        message = {"role": "assistant", "content": None, "refusal": reply.text}
    if thought_field:
        message[thought_field] = THOUGHT
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[reply.finish]}
    choices = [] if frame.fault_is("empty_choices") else [choice]
    head = _head(question, "chat.completion")
    return {**head, "choices": choices, "usage": usage(question, reply), **(extras or {})}


def whole(body: dict[str, Any], headers: dict[str, str]) -> Response:
    """A whole answer as it leaves; DeepSeek sends blank lines while one waits."""
    fault = frame.current_fault()
    if fault is None or fault.action != "keep_alive_comments":
        return frame.json_response(body, headers=headers)
    count, seconds = int(fault.number("count", 3)), fault.number("seconds", 0.01)
    state = frame.sandbox()

    def lines() -> Iterator[str]:
        for _ in range(count):
            state.pause(seconds)
            yield "\n"
        yield json.dumps(body)

    return Response(lines(), 200, headers, mimetype="application/json")


def usage(question: Question, reply: Reply) -> dict[str, Any]:
    """Tokens in and out."""
    return {
        "prompt_tokens": question.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": question.input_tokens + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def chunks(question: Question, reply: Reply, thought_field: str, wants_usage: bool) -> Iterator[str]:
    """A streamed answer: role, thought, text, finish, usage if wanted, and the end mark."""
    head = _head(question, "chat.completion.chunk")
    if wants_usage:
        head["usage"] = None
    yield _chunk(head, {"role": "assistant", "content": "", "refusal": None})
    if thought_field:
        yield _chunk(head, {thought_field: THOUGHT})
    field = "refusal" if reply.finish == "refusal" else "content"
    try:
        yield from streaming.paced(reply.text, wording(head, field))
    except streaming.Cut:
        return
    yield _chunk(head, {}, FINISH[reply.finish])
    if wants_usage:
        yield streaming.event({**head, "choices": [], "usage": usage(question, reply)})
    yield streaming.event("[DONE]")


def wording(head: dict[str, Any], field: str = "content", extras: dict[str, Any] | None = None) -> streaming.Wording:
    """How this shape words the middle of a stream."""
    failure = {"message": "The server had an error while processing your request.", "type": "server_error"}
    return streaming.Wording(
        piece=lambda text: _chunk({**head, **(extras or {})}, {field: text}),
        idle=": keep-alive\n\n",
        failure=streaming.event({"error": {**failure, "param": None, "code": None}}),
        empty=streaming.event({**head, "choices": []}),
    )


def _chunk(head: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return streaming.event({**head, "choices": [choice]})


def _head(question: Question, kind: str) -> dict[str, Any]:
    state = frame.sandbox()
    return {
        "id": f"chatcmpl-sandbox{state.next_number():012d}",
        "object": kind,
        "created": state.clock.timestamp(),
        "model": question.model,
        "service_tier": "default",
        "system_fingerprint": "fp_sandbox",
    }
