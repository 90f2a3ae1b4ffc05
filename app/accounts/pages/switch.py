"""Going from one workspace to another in this browser."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for

from app.accounts.guards import current_session, open_without_mfa, signed_in
from app.accounts.pages.csrf import renew_token
from app.accounts.services import sessions
from app.core.db import unit_of_work
from app.core.errors import NotFound
from app.core.htmx import go_to

bp = Blueprint("switch_pages", __name__)


@bp.post("/app/switch")
@signed_in
@open_without_mfa
def switch() -> Response:
    text = request.form.get("tenant_id", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound("Workspace not found.")
    with unit_of_work():
        tenant = sessions.move_session(current_session(), int(text))
    renew_token()
    flash(f"You are now in {tenant.name}.", "ok")
    return go_to(url_for("home.show"))
