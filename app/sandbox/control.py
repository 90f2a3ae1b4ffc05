"""`/_control`: what the sandbox was sent, what it shall get wrong, say and forget."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NoReturn

from flask import Blueprint, Response, abort, make_response, request

from app.sandbox import faults, frame
from app.sandbox.faults import Fault

bp = Blueprint("control", __name__, url_prefix="/_control")
FAULT_FIELDS = {"service", "action", "path", "match", "rate", "times"}


@bp.get("/received")
def received() -> Response:
    """What came in, oldest first; of one service with `service`, at most `limit` of the latest."""
    service, limit = request.args.get("service", ""), request.args.get("limit", 0, type=int)
    kept = list(frame.sandbox().received)  # copied at once: more comes in meanwhile
    rows = [asdict(row) for row in kept if service in ("", row.service)]
    return frame.json_response(rows[-limit:])


@bp.get("/faults")
def list_faults() -> Response:
    """The faults that are set and the actions there are."""
    own = {name: service.actions for name, service in frame.known_services().items()}
    return frame.json_response(
        {"faults": frame.sandbox().faults.listed(), "actions": {"every service": faults.COMMON_ACTIONS, **own}}
    )


@bp.post("/faults")
def add_fault() -> Response:
    """Set a fault; an unknown service or action is refused."""
    body = read_body()
    fault = Fault(
        service=_service_in(body),
        action=str(body.get("action", "")),
        path=str(body.get("path") or ""),
        match=str(body.get("match") or ""),
        rate=_number(body, "rate", 1.0),
        times=None if body.get("times") is None else int(_number(body, "times", 1)),
        params={key: value for key, value in body.items() if key not in FAULT_FIELDS},
    )
    _check_action(fault)
    frame.sandbox().faults.add(fault)
    return frame.json_response(fault.as_dict(), 201)


@bp.delete("/faults")
def clear_faults() -> Response:
    """Take back all faults, or those of `service`."""
    frame.sandbox().faults.clear(request.args.get("service", ""))
    return Response(status=204)


@bp.post("/script")
def script() -> Response:
    """Queue exact answers for a service."""
    body = read_body()
    answers = body.get("answers")
    if not isinstance(answers, list):
        refuse("answers must be a list")
    frame.sandbox().add_script(_service_in(body), answers, str(body.get("match") or ""))
    return frame.json_response({"waiting": len(frame.sandbox().scripts)}, 201)


@bp.post("/clock")
def clock() -> Response:
    """Move virtual time on by `advance_seconds`."""
    frame.sandbox().clock.advance(_number(read_body(), "advance_seconds", 0.0))
    return frame.json_response({"now": frame.sandbox().clock.now().isoformat().replace("+00:00", "Z")})


@bp.post("/settings")
def settings() -> Response:
    """Set `token_delay_ms`, the pause between two pieces of a stream, and `seed`, what answers are drawn by."""
    body, state = read_body(), frame.sandbox()
    state.token_delay_ms = int(_number(body, "token_delay_ms", state.token_delay_ms))
    state.seed = int(_number(body, "seed", state.seed))
    return frame.json_response({"token_delay_ms": state.token_delay_ms, "seed": state.seed})


@bp.post("/reset")
def reset() -> Response:
    """Forget everything."""
    frame.sandbox().reset()
    return Response(status=204)


def read_body() -> dict[str, Any]:
    """The JSON object that was sent; anything else is refused."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        refuse("the body must be a JSON object")
    return body


def _service_in(body: dict[str, Any]) -> str:
    name = str(body.get("service", ""))
    if name != "*" and name not in frame.known_services():
        refuse(f"service must be one of: {', '.join(frame.known_services())}")
    return name


def _check_action(fault: Fault) -> None:
    known = [service for name, service in frame.known_services().items() if fault.service in ("*", name)]
    if not faults.is_common(fault.action) and not any(fault.action in service.actions for service in known):
        refuse(f"{fault.service} knows no action “{fault.action}”; GET /_control/faults lists them")


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(f"{name} must be a number")
    return float(value)


def refuse(message: str) -> NoReturn:
    """Say what is wrong with a call to `/_control`."""
    abort(make_response({"error": message}, 400))
