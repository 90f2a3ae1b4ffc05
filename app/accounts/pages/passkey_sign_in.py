"""Signing in with a passkey alone: it shows what one has and, by finger or PIN, who one is."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for

from app.accounts.guards import public, sign_in_browser
from app.accounts.pages import place
from app.accounts.pages.next import safe_next
from app.accounts.services import passkey_sign_in
from app.core import ratelimit
from app.core.errors import AppError
from app.core.htmx import go_to
from app.core.http import limited_address

bp = Blueprint("passkey_sign_in_pages", __name__, url_prefix="/login/passkey")


@bp.post("/options")
@public
@place.for_script
def options() -> Response:
    """A challenge; each is one attempt."""
    ratelimit.check("login.address", limited_address())
    return place.remember(*passkey_sign_in.begin(place.place()))


@bp.post("")
@public
def submit() -> Response:
    try:
        user = passkey_sign_in.finish(place.place(), request.form.get("credential", ""), place.remembered())
        sign_in_browser(user, has_mfa=True)
    except AppError as error:
        flash(error.message, "bad")
        return go_to(url_for("auth_pages.show_login", next=request.values.get("next") or None))
    return go_to(safe_next())
