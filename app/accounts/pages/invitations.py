"""Where an invitation's link leads: joining a workspace, as a new person or with an account one has."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask_login import current_user as caller_proxy

from app.accounts.forms import field_errors
from app.accounts.guards import current_session, current_user, public, sign_in_browser, sign_out_browser
from app.accounts.pages.csrf import renew_token
from app.accounts.schemas.users import AcceptForm
from app.accounts.services import invitations, sessions
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.errors import AppError, NotFound, Unauthenticated
from app.core.htmx import go_to
from app.core.http import limited_address, validate

bp = Blueprint("invitation_pages", __name__, url_prefix="/invitations")


@bp.get("/<token>")
@public
def show(token: str) -> Response:
    return _page(token)


@bp.post("/<token>/join")
@public
def join_as_new(token: str) -> Response:
    try:
        ratelimit.check("signup.address", limited_address())
        body = validate(AcceptForm, {name: request.form.get(name, "") for name in ("full_name", "password")})
        with unit_of_work():
            user = invitations.accept_as_new(token, body.full_name, body.password)
    except AppError as error:
        return _page(token, error)
    sign_in_browser(user)
    return go_to(url_for("home.show"))


@bp.post("/<token>/accept")
@public
def accept(token: str) -> Response:
    """Join with the account that is signed in; this browser goes on in the workspace just joined."""
    if not caller_proxy.is_authenticated:
        return go_to(url_for("auth_pages.show_login", next=url_for("invitation_pages.show", token=token)))
    try:
        with unit_of_work():
            tenant = invitations.accept_as(token, current_user())
            sessions.move_session(current_session(), tenant.id)
    except AppError as error:
        return _page(token, error)
    renew_token()
    flash(f"You are now in {tenant.name}.", "ok")
    return go_to(url_for("home.show"))


@bp.post("/<token>/sign-out")
@public
def sign_out(token: str) -> Response:
    """Leave the account that the invitation is not for, and come back."""
    sign_out_browser()
    return go_to(url_for("invitation_pages.show", token=token))


def _page(token: str, error: AppError | None = None) -> Response:
    """The offer, or why there is none; whoever holds the link is told no more than what it offers."""
    try:
        offer, gone = invitations.read(token), ""
    except NotFound as missing:
        offer, gone = None, missing.message
    problem = gone or (offer.problem if offer else "")
    page = render_template(
        "auth/invitation.html",
        offer=offer,
        problem=problem,
        token=token,
        user=caller_proxy if caller_proxy.is_authenticated else None,
        name=request.form.get("full_name", ""),
        errors=_errors(error),
        message=error.message if error and not _errors(error) and error.message != problem else "",
    )
    response = make_response(page, error.status if error else 404 if problem else 200)
    response.headers.update(error.headers if error else {})
    return response


def _errors(error: AppError | None) -> dict[str, str]:
    if error is None or isinstance(error, Unauthenticated):
        return {}
    return {field: text for field, text in field_errors(error).items() if field != "form"}
