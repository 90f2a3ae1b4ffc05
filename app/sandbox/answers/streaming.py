"""Sends an answer piece by piece as server-sent events, at the sandbox's pace and with its faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response, stream_with_context

from app.sandbox import frame
from app.sandbox.answers import tokens
from app.sandbox.faults import Fault

SLOW_FACTOR = 10


class Cut(Exception):
    """The stream ends here, unfinished."""


@dataclass(frozen=True)
class Wording:
    """How a platform words what can happen in the middle of a stream; each is a whole event."""

    piece: Callable[[str], str]
    idle: str
    failure: str
    empty: str


def event(data: Any, name: str = "") -> str:
    """One event of a stream, named or not."""
    body = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "") + f"data: {body}\n\n"


def paced(text: str, wording: Wording) -> Iterator[str]:
    """The events of a text, in time; raises Cut where a fault ends the stream."""
    fault, state = frame.current_fault(), frame.sandbox()
    delay = state.token_delay_ms / 1000 * (SLOW_FACTOR if frame.fault_is("slow") else 1)
    parts = tokens.pieces(text)
    for number, part in enumerate(parts):
        if fault is not None:
            yield from _idle(fault, number, wording)
            yield from _break(fault, number, len(parts), wording)
        state.pause(delay)
        yield wording.piece(part)


def _idle(fault: Fault, number: int, wording: Wording) -> Iterator[str]:
    if fault.action == "keep_alive_comments" and number % 4 == 0:
        for _ in range(int(fault.number("count", 3))):
            frame.sandbox().pause(fault.number("seconds", 0.01))
            yield wording.idle


def _break(fault: Fault, number: int, length: int, wording: Wording) -> Iterator[str]:
    """Break off, fail or stall where the fault says, at the latest before the last piece."""
    if number != min(int(fault.number("after", 3)), length - 1):
        return
    match fault.action:
        case "stream_cut":
            if not fault.params.get("clean"):
                frame.drop_connection()
            raise Cut
        case "error_after_200":
            yield wording.failure
            raise Cut
        case "stall":
            frame.sandbox().pause(fault.number("seconds", 30))
        case "empty_choices":
            yield wording.empty


def respond(parts: Iterator[str], headers: dict[str, str]) -> Response:
    """A streamed answer."""
    wanted = {"Cache-Control": "no-cache", **headers}
    return Response(stream_with_context(parts), 200, wanted, mimetype="text/event-stream")
