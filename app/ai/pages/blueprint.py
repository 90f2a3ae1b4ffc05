"""The blueprint the AI settings pages share."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template

from app.core.htmx import is_htmx, toast_header

bp = Blueprint("ai_settings_pages", __name__, url_prefix="/app/settings")


def changed(message: str, url: str, partial: str, *, tell: str = "", **context: Any) -> Response | str:
    """Answer a successful change: the part that changed for htmx, else the page again, with a note either way.

    `tell` names an event other parts of the page wait for.
    """
    if is_htmx():
        response = make_response(render_template(partial, **context))
        events = {**json.loads(toast_header(message, "ok")), **({tell: True} if tell else {})}
        response.headers["HX-Trigger"] = json.dumps(events)
        return response
    flash(message, "ok")
    return make_response(redirect(url, 303))
