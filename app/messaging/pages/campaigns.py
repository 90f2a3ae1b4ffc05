"""The list of campaigns."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Flask, request

from app.accounts.guards import require_permission
from app.core.htmx import render
from app.core.http import int_argument
from app.messaging.models import CampaignState
from app.messaging.pages import campaign_view as view
from app.messaging.queries import campaigns as queries

bp = Blueprint("campaign_pages", __name__, url_prefix="/app/campaigns")
PAGE = 25


@bp.get("")
@require_permission("messaging.read")
def index() -> str:
    """State, search, order and page stand in the address."""
    q = request.args.get("q", "").strip()[:100]
    state = request.args.get("state", "")
    state = state if state in set(CampaignState) else ""
    sort = request.args.get("sort", "")
    sort = sort if sort in queries.SORTS else "new"
    number = int_argument("page", 1, high=100_000) or 1
    page = queries.list_rows(number, PAGE, q=q, states=[state] if state else [], sort=sort)
    if number > max(1, page.pages):
        page = queries.list_rows(max(1, page.pages), PAGE, q=q, states=[state] if state else [], sort=sort)
    given = {key: value for key, value in (("q", q), ("state", state)) if value}
    given |= {"sort": sort} if sort != "new" else {}
    counts = queries.count_by_state()
    return render(
        "messaging/campaign_list.html", "messaging/_campaign_list.html", rows=page.items, total=page.total,
        page=page.number, pages=max(1, page.pages), q=q, state=state, sort=sort, sorts=queries.SORTS, counts=counts,
        all_of_them=sum(counts.values()), next_one=queries.find_next(),
        here="/app/campaigns?" + urlencode({**given, "page": page.number}),
        page_url="/app/campaigns?" + (urlencode(given) + "&" if given else "") + "page={page}", **view.FUNCTIONS,
    )  # fmt: skip


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
