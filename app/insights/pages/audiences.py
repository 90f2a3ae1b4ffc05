"""Pages of audiences: list, new, and the audience that fills in live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.core import ratelimit
from app.core.db import find_row, get_required, unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to
from app.core.http import int_argument, validate
from app.insights import queries
from app.insights.models import BRIEF_FIELDS, Audience
from app.insights.pages import audience_forms, audience_view
from app.insights.pages.audience_examples import EXAMPLES
from app.insights.pages.audience_forms import field_errors
from app.insights.schemas import AudienceIn
from app.insights.services import audience_lists, audiences

bp = Blueprint("audience_pages", __name__, url_prefix="/app/audiences")
PAGE = 12


def search_argument() -> str:
    return request.args.get("q", "").strip()[:100].replace("\x00", "")


def page_count(total: int, each: int) -> int:
    return max(1, -(-total // each))


@bp.get("")
@require_permission("insights.read")
def index() -> str:
    """The newest first; search and page stand in the address."""
    search = search_argument()
    total = queries.count_audiences(search)
    pages = page_count(total, PAGE)
    page = min(int_argument("page", 1, high=100_000) or 1, pages)
    rows = queries.list_audience_rows(search, PAGE, (page - 1) * PAGE)
    return render_template(
        "audiences/list.html", rows=rows, q=search, page=page, pages=pages, total=total, states=audience_view.STATES,
        shares=audience_lists.list_shares([row.audience.id for row in rows]),
        page_url="/app/audiences?" + (urlencode({"q": search}) + "&" if search else "") + "page={page}",
    )  # fmt: skip


@bp.get("/new")
@require_permission("insights.write")
def new() -> str:
    return render_template("audiences/new.html", values={}, errors={}, examples=EXAMPLES)


@bp.post("/new")
@require_permission("insights.write")
def create() -> Response:
    values = request.form.to_dict()
    try:
        body = validate(AudienceIn, values)
        if not any(getattr(body, field) for field in BRIEF_FIELDS if field not in ("name", "website")):
            raise ValidationFailed("Say at least what the business does.", field="business_description")
        ratelimit.check("audience.create", f"user:{current_user().id}")
        with unit_of_work():
            audience = audiences.create(body.model_dump(), user_id=current_user().id)
    except AppError as error:
        page = render_template("audiences/new.html", values=values, errors=field_errors(error), examples=EXAMPLES)
        return make_response(page, error.status)
    return go_to(url_for(".show", audience_id=audience.id))


@bp.get("/<int:audience_id>")
@require_permission("insights.read")
def show(audience_id: int) -> str:
    audience = get_required(Audience, audience_id)
    return render_template("audiences/overview.html", **audience_view.overview(audience))


def is_gone() -> Response:
    """An open page whose audience was deleted goes back to the list."""
    flash("This audience was deleted.", "warn")
    return go_to(url_for("audience_pages.index"))


@bp.get("/<int:audience_id>/live")
@require_permission("insights.read")
def live(audience_id: int) -> str | Response:
    """The parts of the page that fill in, each to be put in its place if it is new."""
    audience = find_row(Audience, audience_id)
    if audience is None:
        return is_gone()
    return render_template("audiences/_live.html", is_update=True, **audience_view.overview(audience))


@bp.get("/<int:audience_id>/research")
@require_permission("insights.read")
def research(audience_id: int) -> str:
    audience = get_required(Audience, audience_id)
    return render_template("audiences/research.html", **audience_view.research(audience))


@bp.get("/<int:audience_id>/research/live")
@require_permission("insights.read")
def research_live(audience_id: int) -> str | Response:
    audience = find_row(Audience, audience_id)
    if audience is None:
        return is_gone()
    return render_template("audiences/_research.html", is_update=True, **audience_view.research(audience))


@bp.get("/<int:audience_id>/activity")
@require_permission("insights.read")
def activity(audience_id: int) -> str:
    audience = get_required(Audience, audience_id)
    return render_template("audiences/activity.html", **audience_view.activity(audience))


@bp.post("/<int:audience_id>/retry")
@require_permission("insights.write")
def retry(audience_id: int) -> Response:
    """Go on from the step that failed."""
    return _act(audience_id, audiences.retry, "Going on from where it stopped.")


@bp.post("/<int:audience_id>/again")
@require_permission("insights.write")
def make_again(audience_id: int) -> Response:
    """Replace what was made, from the brief as it is now."""
    get_required(Audience, audience_id)
    ratelimit.check("audience.create", f"user:{current_user().id}")
    return _act(audience_id, audiences.make_again, "The picture is being made anew.")


def _act(audience_id: int, action: Callable[[int], Any], said: str) -> Response:
    """Do it and show the audience; a refusal is told there."""
    try:
        with unit_of_work():
            action(audience_id)
    except AppError as error:
        if error.status != 409:
            raise
        flash(error.message, "warn")
    else:
        flash(said, "ok")
    return go_to(url_for(".show", audience_id=audience_id))


@bp.post("/<int:audience_id>/delete")
@require_permission("insights.write")
def delete(audience_id: int) -> Response:
    name = get_required(Audience, audience_id).name
    with unit_of_work():
        audiences.delete_audience(audience_id)
    flash(f"{name} is deleted.", "ok")
    return go_to(url_for(".index"))


def init_app(app: Flask) -> None:
    from app.insights.pages import audience_edits, audience_reports

    filters = (audience_view.fingerprint, audience_view.opening, audience_view.spoken_duration)
    app.jinja_env.filters.update({view.__name__: view for view in filters}, named_errors=audience_forms.named)
    app.register_blueprint(bp)
    for module in (audience_edits, audience_reports):  # below `bp`, but on the app: there may be more than one of it
        app.register_blueprint(module.bp, url_prefix=f"{bp.url_prefix}{module.bp.url_prefix}", name_prefix=bp.name)
