"""Pages for a forgotten password, and how good a new one would be."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, flash, jsonify, make_response, render_template, request, url_for

from app.accounts.forms import field_errors
from app.accounts.guards import public
from app.accounts.schemas.passwords import ForgotPassword, StrengthQuestion
from app.accounts.services import password_policy, password_reset
from app.core import mail, ratelimit
from app.core.db import unit_of_work
from app.core.errors import AppError, BadRequest, ValidationFailed
from app.core.htmx import go_to
from app.core.http import limited_address, read_json, validate

bp = Blueprint("password_pages", __name__, url_prefix="/password")


@bp.get("/forgot")
@public
def show_forgot() -> Response:
    return _forgot()


@bp.post("/forgot")
@public
def ask_for_link() -> Response:
    """The same page for every address: who has an account is nobody's to learn."""
    try:
        body = validate(ForgotPassword, {"email": request.form.get("email", "").strip()})
        password_reset.throttle(body.email, limited_address())
        with unit_of_work():
            password_reset.request_reset(body.email)
    except AppError as error:
        return _forgot(error)
    return go_to(url_for("password_pages.show_forgot", sent=1))


@bp.get("/reset/<token>")
@public
def show_reset(token: str) -> Response:
    """Looking does not spend the link: scanners of mail look at every one."""
    return _reset(token)


@bp.post("/reset/<token>")
@public
def submit_reset(token: str) -> Response:
    try:
        ratelimit.check("password.reset.address", limited_address())
        with unit_of_work():
            password_reset.reset(token, request.form.get("password", ""))
    except AppError as error:
        return _reset(token, error)
    flash("Your password is changed. Sign in with it.", "ok")
    return go_to(url_for("auth_pages.show_login"))


@bp.post("/strength")
@public
def strength() -> Response:
    """For the meter beside a field; the password is weighed and forgotten."""
    ratelimit.check("password.strength", limited_address())
    body = read_json(StrengthQuestion)
    return jsonify(asdict(password_policy.strength(body.password, body.about)))


def _forgot(error: AppError | None = None) -> Response:
    errors = {"email": "Enter the e-mail you sign in with."} if isinstance(error, ValidationFailed) else {}
    page = render_template(
        "auth/forgot.html",
        has_mail=mail.is_set_up(),
        answer=password_reset.answer(),
        is_sent="sent" in request.args and error is None,
        email=request.form.get("email", ""),
        errors=errors,
        message=error.message if error and not errors else "",
    )
    return _answer(page, error)


def _reset(token: str, error: AppError | None = None) -> Response:
    """The form for a new password, or, for a link that is void, the way to another one."""
    try:
        email = password_reset.find_user(token).email
    except BadRequest as void:
        return _answer(render_template("auth/reset.html", email="", errors={}, message=void.message), void)
    errors = field_errors(error)
    message = errors.pop("form", "")
    return _answer(render_template("auth/reset.html", email=email, errors=errors, message=message), error)


def _answer(page: str, error: AppError | None) -> Response:
    response = make_response(page, error.status if error else 200)
    response.headers.update(error.headers if error else {})
    return response
