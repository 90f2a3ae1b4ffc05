"""Your own settings: name, password, where you are signed in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.accounts.guards import current_session, current_user, signed_in
from app.accounts.services import members, sessions
from app.accounts.services.browsers import browser_name
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to

bp = Blueprint("settings_pages", __name__, url_prefix="/app/settings")


@bp.get("")
@signed_in
def index() -> Response:
    return go_to(url_for("settings_pages.you"))


@bp.get("/you")
@signed_in
def you() -> Response:
    return _page()


@bp.post("/you/name")
@signed_in
def rename() -> Response:
    try:
        with unit_of_work():
            members.rename(current_user(), request.form.get("name", ""))
    except AppError as error:
        return _page(error)
    return _done("Your name is saved.")


@bp.post("/you/password")
@signed_in
def change_password() -> Response:
    """A new password ends every other session."""
    form = request.form
    try:
        ratelimit.check("password.change", f"user:{current_user().id}")
        with unit_of_work():
            user = current_user()
            members.change_password(user, form.get("current_password", ""), form.get("new_password", ""))
            ended = sessions.end_sessions(user.id, "password changed", keep_id=current_session().id)
    except AppError as error:
        return _page(error)
    return _done(f"Your password is changed.{f' {ended} other sign-in ended.' if ended else ''}")


@bp.post("/you/sessions/<int:session_id>/end")
@signed_in
def end_session(session_id: int) -> Response:
    with unit_of_work():
        sessions.end_session_by_id(current_user().id, session_id)
    return _done("That sign-in is ended.")


def _done(text: str) -> Response:
    flash(text, "ok")
    return go_to(url_for("settings_pages.you"))


def _page(error: AppError | None = None) -> Response:
    user = current_user()
    errors = {error.details.get("field", "form"): error.message.partition(": ")[2] or error.message} if error else {}
    page = render_template(
        "settings/you.html",
        user=user,
        name=request.form.get("name", user.name),
        errors=errors,
        sessions=[(row, browser_name(row.browser)) for row in sessions.list_sessions(user.id)],
        this_session=current_session().id,
    )
    return make_response(page, error.status if error else 200)
