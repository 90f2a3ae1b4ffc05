"""Search over everything of the workspace, as a page and for the palette."""

from __future__ import annotations

from flask import Blueprint, Flask, request

from app.accounts.guards import current_user, may, require_permission
from app.core.htmx import render
from app.dashboard import queries

bp = Blueprint("search", __name__)


@bp.get("/app/search")
@require_permission("insights.read")
def show() -> str:
    text = request.args.get("q", "").strip()[:200].replace("\x00", "")
    groups = queries.search(text, current_user().id, may)
    return render("search/page.html", "search/_results.html", q=text, groups=groups)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
