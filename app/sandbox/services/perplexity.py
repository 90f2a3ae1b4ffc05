"""Perplexity's answers with sources: chat completions, whole and streamed, and deep research that takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from app.sandbox import frame
from app.sandbox.answers import compose, streaming, subject
from app.sandbox.answers.compose import Question, Reply
from app.sandbox.faults import Fault
from app.sandbox.services import openai, openai_checks, openai_shape
from app.sandbox.services.openai_checks import Refused

MODELS = ("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research")
RECENCIES = ("hour", "day", "week", "month", "year")
MODES = ("web", "academic", "sec")
SOURCES = 3
RESEARCH_SECONDS = 2
FINISH = {"stop": "stop", "length": "length", "refusal": "content_filter"}
ACTIONS = {
    **compose.ACTIONS,
    "research_fails": "a deep research that ends with FAILED",
    "research_slow": "a deep research that takes `seconds` (600) of virtual time",
}


def service() -> frame.Service:
    """Perplexity, under `/perplexity`."""
    bp = Blueprint("perplexity", __name__)
    bp.post("/chat/completions")(chat)
    bp.post("/async/chat/completions")(start_research)
    bp.get("/async/chat/completions")(list_research)
    bp.get("/async/chat/completions/<research_id>")(get_research)
    bp.register_error_handler(Refused, lambda refused: _error(refused.status, refused.message))
    about = "Chat completions with sources, whole and streamed; deep research"
    return frame.Service("perplexity", bp, _refuse, about, ACTIONS)


def chat() -> Response:
    """Answer a question with sources."""
    openai_checks.check_key(openai.DIALECTS["openai"])
    body = openai_checks.read_body()
    question = _question(body)
    reply = _thinking_first(question, compose.compose(question))
    if body.get("stream"):
        return streaming.respond(_chunks(question, reply), openai.headers())
    if frame.fault_is("stream_cut"):
        frame.drop_connection()
    if frame.fault_is("error_after_200"):
        return _error(500, "Internal server error")
    return openai_shape.whole(_completion(question, reply), openai.headers())


def start_research() -> Response:
    """Take a deep research on; it is done after a while of virtual time."""
    openai_checks.check_key(openai.DIALECTS["openai"])
    body = openai_checks.read_body()
    asked = body.get("request")
    if not isinstance(asked, dict):
        raise Refused(400, "request: Field required")
    if asked.get("model") != "sonar-deep-research":
        raise Refused(400, "Async chat completions take the model sonar-deep-research only.")
    known = _same_key(str(body.get("idempotency_key") or ""))
    return frame.json_response(_as_seen(known or _new_research(body, asked)), headers=openai.headers())


def list_research() -> Response:
    """All researches of this key, without their answers."""
    openai_checks.check_key(openai.DIALECTS["openai"])
    rows = [{**_as_seen(row), "response": None} for row in frame.sandbox().store("perplexity").values()]
    return frame.json_response({"requests": rows, "next_token": None}, headers=openai.headers())


def get_research(research_id: str) -> Response:
    """How far a research is, with its answer when it is done."""
    openai_checks.check_key(openai.DIALECTS["openai"])
    row = frame.sandbox().store("perplexity").get(research_id)
    if row is None:
        raise Refused(404, "Async request not found.")
    return frame.json_response(_as_seen(row), headers=openai.headers())


def _question(body: dict[str, Any]) -> Question:
    if body.get("model") not in MODELS:
        raise Refused(400, f"Invalid model '{body.get('model')}'. Permitted models can be found in the documentation.")
    openai_checks.check_messages(body)
    _check_turns(body["messages"])
    _check_extras(body)
    question = openai_checks.question(body, "perplexity")
    return replace(question, cited=0 if body.get("disable_search") else SOURCES)


def _check_turns(turns: list[dict[str, Any]]) -> None:
    """System messages first, then user and assistant in turn, the user last."""
    roles = [turn["role"] for turn in turns]
    while roles and roles[0] == "system":
        roles.pop(0)
    if any(role != ("user", "assistant")[index % 2] for index, role in enumerate(roles)):
        message = "After the (optional) system message(s), user or tool message(s) should alternate with assistant "
        message += "message(s)."
        raise Refused(400, message)
    if not roles or roles[-1] != "user":
        raise Refused(400, "Last message must have role `user`.")


def _check_extras(body: dict[str, Any]) -> None:
    for name, allowed in (("search_recency_filter", RECENCIES), ("search_mode", MODES)):
        if body.get(name) is not None and body[name] not in allowed:
            raise Refused(400, f"{name}: must be one of {', '.join(allowed)}")
    shape = body.get("response_format")
    if shape is not None:
        wanted = (shape.get("json_schema") or {}) if isinstance(shape, dict) else {}
        if shape.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict):
            raise Refused(400, "response_format: must be {type: 'json_schema', json_schema: {schema: {...}}}")


def _thinking_first(question: Question, reply: Reply) -> Reply:
    """Reasoning models think aloud before they answer."""
    if question.model in ("sonar-reasoning-pro", "sonar-deep-research") and reply.finish != "refusal":
        return replace(reply, text=f"<think>\nWhat is asked is plain.\n</think>\n\n{reply.text}")
    return reply


def _completion(question: Question, reply: Reply) -> dict[str, Any]:
    body = openai_shape.completion(question, replace(reply, finish="stop"), extras=_sources(question))
    for choice in body["choices"]:
        choice["finish_reason"] = FINISH[reply.finish]
    return {**body, "usage": _usage(question, reply)}


def _sources(question: Question) -> dict[str, Any]:
    """Sources that are plainly made up."""
    about = subject.of_brief(question.whole) or subject.of(question.last)
    results = [
        {
            "title": f"Made-up source {number}: {about}", "url": f"https://example.com/sandbox/source-{number}",
            "date": "2026-10-01", "last_updated": "2026-10-02", "snippet": "", "source": "web",
        }
        for number in range(1, question.cited + 1)
    ]  # fmt: skip
    return {"citations": [result["url"] for result in results], "search_results": results}


def _usage(question: Question, reply: Reply) -> dict[str, Any]:
    """Tokens, searches and what they cost, by the sandbox's own simple rates."""
    cost_in, cost_out = question.input_tokens * 3 / 1e6, reply.output_tokens * 15 / 1e6
    fee = 0.006 if question.cited else 0.0
    return {
        "prompt_tokens": question.input_tokens, "completion_tokens": reply.output_tokens,
        "total_tokens": question.input_tokens + reply.output_tokens, "search_context_size": "low",
        "citation_tokens": 0, "num_search_queries": 1 if question.cited else 0, "reasoning_tokens": 0,
        "cost": {
            "input_tokens_cost": cost_in, "output_tokens_cost": cost_out, "request_cost": fee,
            "total_cost": round(cost_in + cost_out + fee, 6),
        },
    }  # fmt: skip


def _chunks(question: Question, reply: Reply) -> Iterator[str]:
    """A streamed answer; each chunk bears the sources, the last one the usage."""
    whole = _completion(question, reply)
    head = {key: whole[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    try:
        yield from streaming.paced(reply.text, openai_shape.wording(head, extras=_sources(question)))
    except streaming.Cut:
        return
    choice = {
        "index": 0,
        "delta": {"role": "assistant", "content": ""},
        "finish_reason": FINISH[reply.finish],
    }
    yield streaming.event({**head, **_sources(question), "choices": [choice], "usage": whole["usage"]})
    yield streaming.event("[DONE]")


def _same_key(key: str) -> dict[str, Any] | None:
    rows = frame.sandbox().store("perplexity").values()
    return next((row for row in rows if key and row["idempotency_key"] == key), None)


def _new_research(body: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    question, fault, state = _question(asked), frame.current_fault(), frame.sandbox()
    reply = _thinking_first(question, compose.compose(question))
    takes = fault.number("seconds", 600) if fault and fault.action == "research_slow" else RESEARCH_SECONDS
    row: dict[str, Any] = {
        "id": f"research-sandbox-{state.next_number():06d}", "idempotency_key": str(body.get("idempotency_key") or ""),
        "created_at": state.clock.now().timestamp(), "takes": takes,
        "fails": frame.fault_is("research_fails"), "response": _completion(question, reply),
    }  # fmt: skip
    state.store("perplexity")[row["id"]] = row
    return row


def _as_seen(row: dict[str, Any]) -> dict[str, Any]:
    """A research as it stands at this virtual moment."""
    created, age = int(row["created_at"]), frame.sandbox().clock.now().timestamp() - row["created_at"]
    done = age >= row["takes"]
    status = "CREATED" if age < row["takes"] / 4 else "IN_PROGRESS" if not done else "COMPLETED"
    ended = int(row["created_at"] + row["takes"]) if done else None
    seen = {
        "id": row["id"], "model": "sonar-deep-research", "status": status, "created_at": created,
        "started_at": None if status == "CREATED" else created, "completed_at": ended, "failed_at": None,
        "error_message": None, "response": row["response"] if done else None,
    }  # fmt: skip
    if done and row["fails"]:
        failed = {"status": "FAILED", "completed_at": None, "failed_at": ended, "response": None}
        seen |= {**failed, "error_message": "The research could not be finished."}
    return seen


def _refuse(status: int, fault: Fault) -> Response:
    """An error the platform's way; out of credit is a 401 of a kind of its own."""
    if fault.action == "insufficient_quota":
        return _error(
            401, "You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"
        )
    return _error(
        status, str(fault.params.get("message") or "Request failed."), extra=frame.retry_headers(status, fault)
    )


def _error(status: int, message: str, kind: str = "", extra: dict[str, str] | None = None) -> Response:
    kinds = {400: "invalid_request", 401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}
    body = {"error": {"message": message, "type": kind or kinds.get(status, "server_error"), "code": status}}
    return frame.json_response(body, status, {**openai.headers(), **(extra or {})})
