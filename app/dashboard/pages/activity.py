"""What happened in the workspace."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template

from app.accounts.guards import current_membership, require_permission
from app.core.activity import count_since, list_activity
from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.http import int_argument

bp = Blueprint("activity", __name__)
PAGE = 40


@bp.get("/app/activity")
@require_permission("insights.read")
def index() -> str:
    items = list_activity(PAGE + 1, before_id=int_argument("before"))
    shown = items[:PAGE]
    next_url = f"/app/activity?before={shown[-1].id}" if len(items) > PAGE else None
    return render_template("activity/list.html", items=shown, next_url=next_url)


@bp.get("/app/activity/panel")
@require_permission("insights.read")
def panel() -> str:
    """The bell's panel; what it shows counts as seen."""
    items = list_activity(8)
    unseen = count_since(current_membership().activity_seen_at)
    if unseen:
        with unit_of_work():
            current_membership().activity_seen_at = utc_now()
    return render_template("activity/_panel.html", items=items, unseen=unseen)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
