"""Pages of segments: the list, and one segment with its size, its people and why someone is in it or not."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request

from app.accounts.guards import current_user, require_permission
from app.cdp.models import Segment
from app.cdp.pages import segment_builder, segment_page, segment_view
from app.cdp.pages.segment_examples import EXAMPLES
from app.cdp.queries import segment_pages as queries
from app.cdp.services import days, segments
from app.core.db import find_row, get_required, unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to, render
from app.core.http import int_argument

bp = Blueprint("live_segment_pages", __name__, url_prefix="/app/segments")
PAGE = 25


@bp.get("")
@require_permission("cdp.read")
def index() -> str:
    """Search, order and page stand in the address."""
    q = request.args.get("q", "").strip()[:100]
    sort = request.args.get("sort", "")
    sort = sort if sort in queries.SORTS else "name"
    today = days.today(days.tenant_zone())
    number = int_argument("page", 1, high=100_000) or 1
    page = queries.list_rows(q, sort, number, PAGE, today)
    if number > max(1, page.pages):
        page = queries.list_rows(q, sort, max(1, page.pages), PAGE, today)
    names = dict(queries.names_by_id())
    given = {"q": q} if q else {}
    given |= {"sort": sort} if sort != "name" else {}
    return render(
        "segments/list.html", "segments/_list.html", rows=page.items, total=page.total, page=page.number,
        pages=max(1, page.pages), q=q, sort=sort, sorts=queries.SORTS, kinds=segment_view.KINDS, examples=EXAMPLES,
        sentences={row.segment.id: segment_view.sentence_of(row.segment, names) for row in page.items},
        page_url="/app/segments?" + (urlencode(given) + "&" if given else "") + "page={page}",
    )  # fmt: skip


@bp.get("/<int:segment_id>")
@require_permission("cdp.read")
def show(segment_id: int) -> str:
    segment = get_required(Segment, segment_id)
    return render_template("segments/show.html", **segment_page.whole(segment))


@bp.get("/<int:segment_id>/live")
@require_permission("cdp.read")
def live(segment_id: int) -> Response:
    """What follows the segment: its figures, history, comings and goings."""
    segment = find_row(Segment, segment_id)
    if segment is None:
        flash("This segment was deleted.", "warn")
        return go_to("/app/segments")
    answer = make_response(render_template("segments/_live.html", **segment_page.figures(segment)))
    if "waiting" in request.args and not segment_page.is_waiting(segment):
        answer.headers["HX-Trigger"] = "segment-counted"  # its people are to be looked at again
    return answer


@bp.get("/<int:segment_id>/members")
@require_permission("cdp.read")
def members(segment_id: int) -> str:
    """Who is in, by page and by search."""
    segment = get_required(Segment, segment_id)
    return render("segments/members.html", "segments/_members.html", **segment_page.members(segment))


@bp.get("/<int:segment_id>/why")
@require_permission("cdp.read")
def why(segment_id: int) -> str:
    """Why someone is in the segment or not: `q` finds the person, `person` names them."""
    segment = get_required(Segment, segment_id)
    return render("segments/why.html", "segments/_why.html", **segment_page.why(segment))


@bp.get("/<int:segment_id>/overlap")
@require_permission("cdp.read")
def overlap(segment_id: int) -> str:
    """How many people are also in the segment `with`."""
    segment = get_required(Segment, segment_id)
    return render("segments/overlap.html", "segments/_overlap.html", **segment_page.overlap(segment))


@bp.post("/<int:segment_id>/refresh")
@require_permission("cdp.write")
def refresh(segment_id: int) -> Response:
    return _act(segment_id, segments.request_refresh, "It is being counted.")


@bp.post("/<int:segment_id>/snapshot")
@require_permission("cdp.write")
def snapshot(segment_id: int) -> Response:
    """Keep the people who are in now as a segment of their own, which does not change."""
    segment = get_required(Segment, segment_id)
    name = request.form.get("name", "").strip() or f"{segment.name[:170]}, as it is now"
    try:
        with unit_of_work():
            made = segments.snapshot(segment_id, name, user_id=current_user().id)
    except AppError as error:
        return _told(segment_id, error)
    flash(f"{made.name} is kept.", "ok")
    return go_to(f"/app/segments/{made.id}")


@bp.post("/<int:segment_id>/delete")
@require_permission("cdp.write")
def delete(segment_id: int) -> Response:
    """Refused while something is built on it: the page says what."""
    name = get_required(Segment, segment_id).name
    try:
        with unit_of_work():
            segments.delete(segment_id)
    except AppError as error:
        return _told(segment_id, error)
    flash(f"{name} is deleted. Its people stay.", "ok")
    return go_to("/app/segments")


def _act(segment_id: int, action: Any, said: str) -> Response:
    get_required(Segment, segment_id)
    try:
        with unit_of_work():
            action(segment_id)
    except AppError as error:
        return _told(segment_id, error)
    flash(said, "ok")
    return go_to(f"/app/segments/{segment_id}")


def _told(segment_id: int, error: AppError) -> Response:
    """A refusal, told on the segment's page."""
    if error.status not in (409, 422):
        raise error
    flash(error.message, "warn")
    return go_to(f"/app/segments/{segment_id}")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(segment_builder.bp, url_prefix=bp.url_prefix, name_prefix=bp.name)  # of each app there is
