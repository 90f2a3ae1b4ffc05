"""Sign-in and sign-up pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_login import current_user as caller_proxy

from app.accounts.forms import field_errors
from app.accounts.guards import public, sign_in_browser, sign_out_browser
from app.accounts.models import User
from app.accounts.pages import place, second_step
from app.accounts.pages.next import safe_next
from app.accounts.schemas import Credentials, SignInCredentials
from app.accounts.services import login, signup
from app.core import ratelimit
from app.core.config import get_settings
from app.core.db import unit_of_work
from app.core.errors import AppError
from app.core.htmx import go_to
from app.core.http import limited_address, validate

bp = Blueprint("auth_pages", __name__)


@bp.get("/login")
@public
def show_login() -> Any:
    if caller_proxy.is_authenticated:
        return go_to(safe_next())
    return _form("auth/login.html")


@bp.get("/signup")
@public
def show_signup() -> Any:
    if caller_proxy.is_authenticated:
        return go_to(safe_next())
    return _form("auth/signup.html")


@bp.post("/login/form")
@public
def submit_login() -> Response:
    try:
        body = validate(SignInCredentials, request.form.to_dict())
        login.throttle(body.email, limited_address())
        user = login.authenticate(body.email, body.password)
    except AppError as error:
        return _form("auth/login.html", error)
    return second_step.begin(user, body.password) if user.has_mfa else _begin(user, body.password)


@bp.post("/signup/form")
@public
def submit_signup() -> Response:
    try:
        body = validate(Credentials, request.form.to_dict())
        ratelimit.check("signup.address", limited_address())
        with unit_of_work():
            user = signup.sign_up(
                body.email,
                body.password,
                name=request.form.get("name", ""),
                workspace=request.form.get("workspace", ""),
            )
    except AppError as error:
        return _form("auth/signup.html", error)
    return _begin(user, body.password)


@bp.post("/logout/form")
@public
def log_out() -> Response:
    sign_out_browser()
    return go_to(url_for("auth_pages.show_login"))


def _begin(user: User, password: str) -> Response:
    sign_in_browser(user, password=password)
    return go_to(safe_next())


def _form(template: str, error: AppError | None = None) -> Response:
    """The form, with what was typed (never the password) and what was wrong with it."""
    errors = field_errors(error)
    page = render_template(
        template,
        values={key: request.form.get(key, "") for key in ("email", "name", "workspace")},
        errors=errors,
        message=errors.pop("form", ""),
        next=request.values.get("next", ""),
        demo_signin=_demo_signin(),
        has_passkeys_here=not place.problem(),
    )
    response = make_response(page, error.status if error else 200)
    response.headers.update(error.headers if error else {})
    return response


def _demo_signin() -> dict[str, str] | None:
    settings = get_settings()
    return {"email": settings.demo_email, "password": settings.demo_password} if settings.demo_mode else None
