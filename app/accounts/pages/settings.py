"""Your own settings: name and password."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.accounts.forms import field_errors
from app.accounts.guards import current_session, current_user, signed_in
from app.accounts.services import members, sessions
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


def _done(text: str) -> Response:
    flash(text, "ok")
    return go_to(url_for("settings_pages.you"))


def _page(error: AppError | None = None) -> Response:
    user = current_user()
    page = render_template(
        "settings/you.html",
        user=user,
        name=request.form.get("name", user.name),
        errors=field_errors(error),
    )
    return make_response(page, error.status if error else 200)
