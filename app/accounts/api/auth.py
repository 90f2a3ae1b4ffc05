"""Sign-up, sign-in and sign-out as the insight contract shows; a browser's form goes to the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, make_response

from app.accounts.guards import ignores_bearer, public, sign_in_browser, sign_out_browser
from app.accounts.schemas import Credentials, SignInCredentials
from app.accounts.schemas.insight import AccountSaid
from app.accounts.services import login, second_factor, signup
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.describe import Message, describe
from app.core.dialects import insight_dialect, json_or_html, register_dialect
from app.core.http import limited_address, read_json, wants_json

bp = Blueprint("auth_api", __name__)


def or_page(endpoint: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Let the page's own view answer a browser at an address both share."""

    def decorate(view: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(view)
        def choose() -> Any:
            return view() if wants_json() else current_app.view_functions[endpoint]()

        return choose

    return decorate


@bp.post("/signup")
@describe("Create an account and a workspace", "Account", body=Credentials, answers={201: AccountSaid}, errors=(409,))
@public
@ignores_bearer
@or_page("auth_pages.submit_signup")
def sign_up() -> Response:
    body = read_json(Credentials)
    ratelimit.check("signup.address", limited_address())
    with unit_of_work():
        user = signup.sign_up(body.email, body.password)
    return make_response(jsonify(message="Registration successful", user_id=user.id), 201)


@bp.post("/login")
@describe("Sign in a browser", "Account", body=SignInCredentials, answers={200: AccountSaid}, errors=(401, 503))
@public
@ignores_bearer
@or_page("auth_pages.submit_login")
def sign_in() -> Response:
    body = read_json(SignInCredentials)
    login.throttle(body.email, limited_address())
    user = login.authenticate(body.email, body.password)
    has_mfa = second_factor.require(user, body.mfa_code)
    sign_in_browser(user, password=body.password, has_mfa=has_mfa)
    return jsonify(message="Login successful", user_id=user.id)


@bp.get("/logout")
@describe("Sign out", "Account", answers={200: Message}, errors=(403,))
@public
@ignores_bearer
@or_page("auth_pages.log_out")
def sign_out() -> Response:
    sign_out_browser()
    return jsonify(message="Logged out successfully")


def init_app(app: Flask) -> None:
    for prefix in ("/signup", "/login", "/logout"):
        register_dialect(prefix, json_or_html(insight_dialect))
    app.register_blueprint(bp)
