"""The sandbox's front page, and its sign of life."""

from __future__ import annotations

from itertools import islice

from flask import Blueprint, Response, render_template

from app.sandbox import frame

bp = Blueprint("pages", __name__)
SHOWN = 40


@bp.get("/")
def home() -> str:
    """What the sandbox is, what it speaks, and what it was sent lately, newest first."""
    with frame.sandbox().lock:
        latest = list(islice(reversed(frame.sandbox().received), SHOWN))
    return render_template(
        "home.html", services=frame.known_services(), received=latest, faults=frame.sandbox().faults.listed()
    )


@bp.get("/healthz")
def healthz() -> Response:
    """Alive."""
    return frame.json_response({"status": "ok"})
