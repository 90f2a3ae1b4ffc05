"""Home, and the public face."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, render_template
from flask_login import current_user as caller_proxy

from app.accounts.guards import current_membership, current_tenant, current_user, public, require_permission
from app.core.activity import list_activity
from app.core.clock import in_zone, utc_now
from app.core.config import get_settings
from app.dashboard import queries
from app.insights import queries as insights

bp = Blueprint("home", __name__)
QUOTE_LENGTH = 220


@bp.get("/")
@public
def face() -> str:
    settings = get_settings()
    demo = {"email": settings.demo_email, "password": settings.demo_password} if settings.demo_mode else None
    return render_template("home/face.html", demo_signin=demo, signed_in=caller_proxy.is_authenticated)


@bp.get("/app")
@require_permission("insights.read")
def show() -> str:
    totals = insights.totals()
    since = current_membership().previous_visit_at
    items = list_activity(8)
    return render_template(
        "home/home.html",
        greeting=_greeting(),
        first_name=current_user().display_name.split()[0],
        since=since,
        summary=_summary(items, since),
        loop_steps=queries.loop_steps(totals),
        jobs=queries.running_jobs(),
        items=[item for item in items if since is None or item.created_at > since],
        checklist=queries.checklist(totals),
        said=_said(),
        is_new=totals.audiences == 0,
    )


@bp.get("/app/running")
@require_permission("insights.read")
def running() -> str:
    return render_template("home/_jobs.html", jobs=queries.running_jobs())


def _greeting() -> str:
    """By the clocks where the workspace is."""
    hour = in_zone(utc_now(), current_tenant().timezone).hour
    return "Good morning" if 4 <= hour < 11 else "Good evening" if hour >= 17 else "Hello"


def _summary(items: list[Any], since: datetime | None) -> str:
    new = [item for item in items if since is not None and item.created_at > since]
    if not new:
        return "Here is where things stand."
    failed = sum(item.is_failure for item in new)
    text = f"{len(new)} thing{'s' if len(new) > 1 else ''} happened since your last visit"
    return f"{text}; {failed} needs a look." if failed else f"{text}."


def _said() -> dict[str, Any] | None:
    line = insights.latest_said(current_user().id, utc_now() - timedelta(days=7))
    if line is None:
        return None
    persona, segment = line.place.persona, line.place.segment
    return {
        "name": persona.name,
        "index": segment.position + 1,
        "role": segment.name,
        "url": f"/app/personas/{persona.id}",
        "quote": insights.first_sentences(line.text, QUOTE_LENGTH),
        "chat_url": f"/app/conversations/{line.conversation_id}",
        "evidence": None,
    }


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
