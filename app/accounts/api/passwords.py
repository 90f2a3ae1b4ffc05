"""Forgotten passwords over JSON: asking for a link and setting a new password with it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response

from app.accounts.guards import ignores_bearer, public
from app.accounts.schemas.passwords import ForgotPassword, ResetPassword
from app.accounts.services import password_reset
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.describe import Message, describe
from app.core.http import limited_address, read_json

bp = Blueprint("passwords_api", __name__, url_prefix="/api/v1/auth")


@bp.post("/forgot-password")
@describe("Ask for a link to set a new password", "Authentication", body=ForgotPassword, answers={202: Message})
@public
@ignores_bearer
def forgot() -> Response:
    """The answer is the same whether or not the address has an account."""
    body = read_json(ForgotPassword)
    password_reset.throttle(body.email, limited_address())
    with unit_of_work():
        password_reset.request_reset(body.email)
    return make_response(jsonify(message=password_reset.answer()), 202)


@bp.post("/reset-password")
@describe("Set a new password with the link's token", "Authentication", body=ResetPassword, answers={200: Message})
@public
@ignores_bearer
def reset() -> Response:
    """Ends every session of the account; sign in afterwards."""
    body = read_json(ResetPassword)
    ratelimit.check("password.reset.address", limited_address())
    with unit_of_work():
        password_reset.reset(body.token, body.password)
    return jsonify(message="The password is changed. Sign in with it.")
