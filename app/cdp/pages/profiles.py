"""The page of everybody known: search, filters, figures, a file of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, render_template, request, stream_with_context

from app.accounts.guards import current_tenant, require_permission
from app.cdp.models import Lifecycle
from app.cdp.pages import profile_view
from app.cdp.queries import pages_profiles
from app.cdp.queries import profiles as queries
from app.cdp.services import profile_exports, samples
from app.core.clock import utc_now
from app.core.htmx import go_to, is_htmx
from app.core.http import int_argument

bp = Blueprint("profile_list_pages", __name__, url_prefix="/app/profiles")
PAGE = 25
DEEPEST = 400  # pages: nobody turns so many, and deep ones cost


def search_text() -> str:
    return request.args.get("q", "").strip()[:320]


def _filters() -> dict[str, Any]:
    """What the address asks for; a stage there is not counts as none."""
    stage = request.args.get("lifecycle", "")
    segment_id = int_argument("segment", high=2**31 - 1)
    return {"q": search_text(), "lifecycle": stage if stage in set(Lifecycle) else "", "segment": segment_id or ""}


@bp.get("")
@require_permission("cdp.read")
def index() -> str:
    """Last seen first, best match first with a text; text, filters and page stand in the address."""
    asked = _filters()
    number = min(int_argument("page", 1, high=100_000) or 1, DEEPEST)
    page = queries.list_profiles(asked["q"], asked["lifecycle"], asked["segment"] or None, number, PAGE)
    pages = max(1, min(page.pages, DEEPEST))
    if number > pages:
        number = pages
        page = queries.list_profiles(asked["q"], asked["lifecycle"], asked["segment"] or None, number, PAGE)
    given = {key: value for key, value in asked.items() if value}
    context: dict[str, Any] = {
        "people": page.items, "total": page.total, "page": number, "pages": pages,
        "is_cut": page.total > PAGE * DEEPEST,
        "asked": asked, "channels": pages_profiles.consented_channels(row.id for row in page.items),
        "stages": profile_view.STAGES, "channel_words": profile_view.CHANNELS, "most_hits": queries.MOST_HITS,
        "page_url": "/app/profiles?" + (urlencode(given) + "&" if given else "") + "page={page}",
    }  # fmt: skip
    if is_htmx():
        return render_template("customers/_profiles.html", **context)
    return render_template(
        "customers/profiles.html", **context, figures=queries.statistics(), segments=pages_profiles.list_segments(),
        export_url="/app/profiles/export.csv" + ("?" + urlencode(given) if given else ""),
        most_rows=profile_exports.MOST_ROWS,
    )  # fmt: skip


@bp.get("/export.csv")
@require_permission("cdp.read")
def export() -> Response:
    """Everybody the filters leave, at most 100,000, sent while it is read."""
    asked = _filters()
    lines = profile_exports.as_csv(current_tenant().id, asked["q"], asked["lifecycle"], asked["segment"] or None)
    response = Response(stream_with_context(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="profiles-{utc_now():%Y-%m-%d}.csv"'
    return response


@bp.post("/samples")
@require_permission("cdp.write")
def load_samples() -> Response:
    """Invented people with a few months of events, so that every page can be tried; again changes nothing."""
    count = samples.load()
    flash(f"{count:,} sample people are in. Each is marked with the trait “sample”.", "ok")
    return go_to("/app/profiles")


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(profile_view.FILTERS)
    app.register_blueprint(bp)
