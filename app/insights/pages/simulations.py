"""Pages of simulations: the dashboard, a report that fills in live, its files, and what one can do with a run."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, flash, make_response, redirect, render_template, request, url_for

from app.accounts.guards import current_user, require_permission
from app.accounts.services import audit
from app.core import ratelimit
from app.core.db import get_required, unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to, render
from app.core.http import int_argument, validate
from app.insights.models import Simulation
from app.insights.pages import simulation_create
from app.insights.pages.simulation_views import LIST_PAGE, form_errors, report_context
from app.insights.queries import list_audiences
from app.insights.schemas import SimulationChange
from app.insights.services import simulation_exports, simulation_lists, simulation_report, simulations

bp = Blueprint("simulation_pages", __name__, url_prefix="/app/simulations")


@bp.get("")
@require_permission("insights.read")
def index() -> str:
    """Newest first; audience, search and page stand in the address."""
    search, audience_id = request.args.get("q", "").strip()[:100], int_argument("audience")
    page = int_argument("page", 1, high=10_000) or 1
    total = simulation_lists.count(search, audience_id)
    pages = max(1, -(-total // LIST_PAGE))
    rows = simulation_lists.list_rows(search, audience_id, LIST_PAGE, (min(page, pages) - 1) * LIST_PAGE)
    filters: dict[str, Any] = {"q": search or None, "audience": audience_id}
    return render_template(
        "simulations/list.html",
        rows=rows, total=total, page=min(page, pages), pages=pages, search=search, audience_id=audience_id,
        audiences=list_audiences(), page_url=url_for(".index", **filters, page="0").replace("page=0", "page={page}"),
    )  # fmt: skip


@bp.get("/<int:simulation_id>")
@require_permission("insights.read")
def show(simulation_id: int) -> str:
    return render_template("simulations/report.html", **report_context(simulation_id))


@bp.get("/<int:simulation_id>/live")
@require_permission("insights.read")
def live(simulation_id: int) -> str:
    """The whole report as it is now, for a page that hears that something changed."""
    return render_template("simulations/_report.html", **report_context(simulation_id), is_update=True)


@bp.get("/<int:simulation_id>/edit")
@require_permission("insights.write")
def edit(simulation_id: int) -> str:
    simulation = get_required(Simulation, simulation_id)
    values = {"name": simulation.name, "description": simulation.description}
    return render(
        "simulations/edit.html", "simulations/_edit.html", simulation=simulation, values=values, errors={},
        next_url=_safe_next(simulation_id),
    )  # fmt: skip


@bp.post("/<int:simulation_id>/edit")
@require_permission("insights.write")
def save(simulation_id: int) -> Response:
    simulation = get_required(Simulation, simulation_id)
    values = {"name": request.form.get("name", ""), "description": request.form.get("description", "")}
    try:
        change = validate(SimulationChange, values)
        with unit_of_work():
            simulations.rename(simulation_id, **change.model_dump())
    except AppError as error:
        page = render(
            "simulations/edit.html", "simulations/_edit.html", simulation=simulation, values=values,
            errors=form_errors(error), next_url=_safe_next(simulation_id),
        )  # fmt: skip
        return make_response(page, 422)
    flash("Saved.", "ok")
    return go_to(_safe_next(simulation_id))


def _safe_next(simulation_id: int) -> str:
    """Back to where the edit began: the dashboard or the report, nowhere else."""
    home = url_for(".index")
    return home if request.values.get("next") == "list" else url_for(".show", simulation_id=simulation_id)


@bp.post("/<int:simulation_id>/delete")
@require_permission("insights.write")
def delete(simulation_id: int) -> Response:
    with unit_of_work():
        simulations.delete_simulation(simulation_id)
    flash("Simulation deleted.", "ok")
    return go_to(url_for(".index"))


@bp.post("/<int:simulation_id>/cancel")
@require_permission("insights.write")
def cancel(simulation_id: int) -> Response:
    return _act(simulation_id, lambda: simulations.cancel(simulation_id), "Stopped. The answers that came are kept.")


@bp.post("/<int:simulation_id>/retry")
@require_permission("insights.write")
def retry(simulation_id: int) -> Response:
    return _act(simulation_id, lambda: simulations.resume(simulation_id), "Asking those who have not answered.")


@bp.post("/<int:simulation_id>/again")
@require_permission("insights.write")
def again(simulation_id: int) -> Response:
    ratelimit.check("simulation.create", f"user:{current_user().id}")
    return _act(
        simulation_id,
        lambda: simulations.run_again(simulation_id, user_id=current_user().id),
        "Asking the panel again.",
    )


def _act(simulation_id: int, action: Any, said: str) -> Response:
    """Do it and go to the simulation it leads to; a refusal is told on the page one came from."""
    try:
        with unit_of_work():
            simulation_id = action().id
    except AppError as error:
        if error.status not in (409, 422):
            raise
        flash(error.message, "warn")
    else:
        flash(said, "ok")
    return go_to(url_for(".show", simulation_id=simulation_id))


@bp.get("/<int:simulation_id>/export.<any(md, csv):kind>")
@require_permission("insights.read")
def export(simulation_id: int, kind: str) -> Response:
    row = simulation_lists.get_row(simulation_id)
    replies = simulation_lists.list_replies(simulation_id)
    if kind == "csv":
        text, mimetype = simulation_exports.as_csv(replies), "text/csv"
    else:
        text, mimetype = simulation_exports.as_markdown(row.simulation, row.audience, replies), "text/markdown"
    with unit_of_work():
        audit.record("simulation.exported", row.simulation, after={"format": kind})
    response = make_response(text)
    response.mimetype = mimetype
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{simulation_exports.filename(row.simulation, kind)}"'
    )
    return response


@bp.get("/compare")
@require_permission("insights.read")
def compare() -> str | Response:
    """Two runs side by side: `a` before, `b` after."""
    a, b = int_argument("a"), int_argument("b")
    if a is None or b is None or a == b:
        flash("Choose two different runs to compare.", "warn")
        return redirect(url_for(".show", simulation_id=a) if a else url_for(".index"), 303)  # type: ignore[return-value]
    before, after = simulation_lists.get_row(a), simulation_lists.get_row(b)
    old, new = simulation_lists.list_replies(a), simulation_lists.list_replies(b)
    return render_template(
        "simulations/compare.html", before=before, after=after, people=simulation_lists.compare(old, new),
        parts=simulation_report.compare_parts(before.simulation.results, after.simulation.results),
        themes=simulation_report.compare_themes(before.simulation.results, after.simulation.results),
    )  # fmt: skip


def init_app(app: Flask) -> None:
    app.register_blueprint(simulation_create.bp)
    app.register_blueprint(bp)
