"""The second step of signing in: after the right password, a code or a passkey."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, session, url_for

from app.accounts.guards import public, sign_in_browser
from app.accounts.models import User
from app.accounts.pages import place
from app.accounts.pages.next import safe_next
from app.accounts.services import factors, passkey_sign_in, second_factor
from app.core import crypto
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import AppError, Unauthenticated
from app.core.htmx import go_to

bp = Blueprint("second_step_pages", __name__, url_prefix="/login/second-step")
KEY = "second_step"
SECONDS = 600


def begin(user: User, password: str) -> Response:
    """Remember in this browser's cookie, emptied first, who showed the right password; no session is opened yet."""
    session.clear()
    session[KEY] = {
        "user": user.id,
        "at": int(utc_now().timestamp()),
        "nonce": crypto.random_token(9),
        "mark": second_factor.begin(user, password),
    }
    return go_to(url_for("second_step_pages.show", next=_next()))


def _next() -> str | None:
    """What was asked for, to be checked at the end."""
    return request.values.get("next") or None


def _pending() -> User:
    """Who is on their way in. Refused after ten minutes, after a new password and for a closed account."""
    state: dict[str, Any] = session.get(KEY) or {}
    is_fresh = utc_now().timestamp() - SECONDS < state.get("at", 0)
    user = db.session.get(User, state["user"]) if is_fresh else None
    if user is None or not user.is_enabled or second_factor.mark(user) != state["mark"]:
        session.pop(KEY, None)
        raise Unauthenticated("That took too long. Please sign in again.", code="second_step_gone")
    return user


@bp.get("")
@public
def show() -> Response:
    try:
        return _page(_pending())
    except Unauthenticated as error:
        return _again(error)


@bp.post("")
@public
def submit() -> Response:
    try:
        user = _pending()
    except Unauthenticated as error:
        return _again(error)
    try:
        if not second_factor.require(user, request.form.get("code", "")):
            return _finish(user, has_mfa=False)  # turned off by an admin in the meantime
    except AppError as error:
        return _page(user, error)
    return _finish(user)


@bp.post("/passkey/options")
@public
@place.for_script
def passkey_options() -> Response:
    return place.remember(*passkey_sign_in.begin(place.place(), _pending()))


@bp.post("/passkey")
@public
def submit_passkey() -> Response:
    try:
        user = _pending()
    except Unauthenticated as error:
        return _again(error)
    try:
        passkey_sign_in.finish(place.place(), request.form.get("credential", ""), place.remembered(), user)
    except AppError as error:
        return _page(user, error)
    return _finish(user)


def _finish(user: User, *, has_mfa: bool = True) -> Response:
    sign_in_browser(user, has_mfa=has_mfa)
    return go_to(safe_next())


def _again(error: AppError) -> Response:
    flash(error.message, "warn")
    return go_to(url_for("auth_pages.show_login", next=_next()))


def _page(user: User, error: AppError | None = None) -> Response:
    methods = factors.methods(user.id)
    page = render_template(
        "auth/second_step.html",
        methods=methods,
        wants_backup_code=request.values.get("with") == factors.BACKUP_CODE and factors.BACKUP_CODE in methods,
        has_passkey_here=factors.PASSKEY in methods and not place.problem(),
        passkey_problem=place.problem(),
        error=_said(error),
        is_about_passkey=bool(error) and request.endpoint == "second_step_pages.submit_passkey",
        next=request.values.get("next", ""),
    )
    response = make_response(page, error.status if error else 200)
    response.headers.update(error.headers if error else {})
    return response


def _said(error: AppError | None) -> str:
    """What the page says; a program is told more than someone who sent an empty field."""
    if error is None:
        return ""
    return "Enter the code." if error.code == "mfa_required" else error.message
