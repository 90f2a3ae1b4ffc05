"""Security of one's own account: two-factor, passkeys, where one is signed in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for

from app.accounts.guards import current_session, current_user, open_without_mfa, signed_in
from app.accounts.models import User
from app.accounts.pages.security_view import errors_of, show_codes, show_page, show_setup
from app.accounts.services import audit, mfa, sessions
from app.core.db import unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to

bp = Blueprint("security_pages", __name__, url_prefix="/app/settings/security")


@bp.get("")
@signed_in
@open_without_mfa
def show() -> Response:
    return show_page()


@bp.post("/app")
@signed_in
@open_without_mfa
def start() -> Response:
    try:
        mfa.start(current_user(), with_codes=False)
    except AppError as error:
        return show_page(error)
    return go_to(url_for("security_pages.set_up"))


@bp.get("/app")
@signed_in
@open_without_mfa
def set_up() -> Response:
    """The set-up under way; it can be reloaded, and left."""
    setup = mfa.pending(current_user())
    return show_setup(setup) if setup else done("")


@bp.post("/app/confirm")
@signed_in
@open_without_mfa
def confirm() -> Response:
    user = current_user()
    try:
        mfa.verify(user, request.form.get("code", ""), session=current_session())
        codes = _fresh_codes(user)
    except AppError as error:
        setup = mfa.pending(user)
        return show_setup(setup, error) if setup else show_page(error)
    return show_codes(codes, is_new=True)


def _fresh_codes(user: User) -> list[str]:
    with unit_of_work():
        return mfa.make_codes(user)


@bp.post("/app/off")
@signed_in
@open_without_mfa
def turn_off() -> Response:
    form = request.form
    try:
        mfa.disable(current_user(), form.get("password", ""), form.get("code", ""))
    except AppError as error:
        return show_page(error, errors=errors_of(error, "off"))
    return done("Codes from an app are off.")


@bp.post("/codes")
@signed_in
@open_without_mfa
def renew_codes() -> Response:
    try:
        codes = mfa.new_backup_codes(current_user(), request.form.get("code", ""))
    except AppError as error:
        return show_page(error, errors=errors_of(error, "renew"))
    return show_codes(codes)


@bp.post("/sessions/<int:session_id>/end")
@signed_in
@open_without_mfa
def end_session(session_id: int) -> Response:
    with unit_of_work():
        sessions.end_session_by_id(current_user().id, session_id)
    return done("That sign-in is ended.")


@bp.post("/sessions/end-others")
@signed_in
@open_without_mfa
def end_other_sessions() -> Response:
    user = current_user()
    with unit_of_work():
        ended = sessions.end_sessions(user.id, "ended by its owner", keep_id=current_session().id)
        if ended:
            audit.record("sessions.ended", user, after={"ended": ended})
    return done("You are signed in here only.")


def done(text: str) -> Response:
    if text:
        flash(text, "ok")
    return go_to(url_for("security_pages.show"))
