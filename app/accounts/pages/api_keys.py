"""API keys as a page: made, shown once, rotated, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from redis.exceptions import RedisError

from app.accounts.forms import field_errors
from app.accounts.guards import current_tenant, current_user, require_permission
from app.accounts.models import ApiKey, Scope
from app.accounts.services import api_keys, permissions
from app.core import ratelimit
from app.core.clock import utc_now
from app.core.crypto import random_token
from app.core.db import unit_of_work
from app.core.errors import AppError, Conflict, NotFound, ValidationFailed
from app.core.htmx import go_to
from app.core.links import absolute
from app.core.redis import get_redis

bp = Blueprint("api_keys_pages", __name__, url_prefix="/app/settings/api-keys")
EXPIRIES = (("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("", "never"))
USUAL_EXPIRY = "90"
OVERLAPS = (("0", "at once"), ("1", "in an hour"), ("24", "in a day"), ("168", "in a week"))
ENDED_SHOWN = 50
FORM_HOURS = 12
SENT_BEFORE = "sent_before"


@bp.get("")
@require_permission("api_keys.manage")
def show_keys() -> str:
    return render_template("settings/api_keys.html", **_page())


@bp.post("")
@require_permission("api_keys.manage")
def create_key() -> Response:
    """Answers with the key itself: it is kept nowhere, so there is no page to lead to."""
    form = request.form
    try:
        days = _number("expires_in_days", dict(EXPIRIES))
        ratelimit.check("api_key.create", str(current_tenant().id))
        with unit_of_work():
            expires_at = utc_now() + timedelta(days=days) if days else None
            name, scopes = form.get("name", ""), form.getlist("scopes")
            key, text = api_keys.create(name, scopes, created_by=current_user().id, expires_at=expires_at)
            _refuse_second_sending(form.get("once", ""))
    except AppError as error:
        return _back(error.message, "warn") if error.code == SENT_BEFORE else _refused(error)
    return _shown(key, text)


@bp.post("/<int:key_id>/rotate")
@require_permission("api_keys.manage")
def rotate_key(key_id: int) -> Response:
    hours = _number("overlap_hours", dict(OVERLAPS))
    ratelimit.check("api_key.create", str(current_tenant().id))
    try:
        with unit_of_work():
            key, text = api_keys.rotate(key_id, created_by=current_user().id, overlap=timedelta(hours=hours))
    except NotFound:
        raise
    except AppError as error:
        return _back(error.message, "warn")
    return _shown(key, text, replaces=key_id)


@bp.post("/<int:key_id>/revoke")
@require_permission("api_keys.manage")
def revoke_key(key_id: int) -> Response:
    with unit_of_work():
        key = api_keys.revoke(key_id)
    return _back(f"{key.name} is revoked. Whoever uses it is refused from now on.", "ok")


def _number(field: str, choices: dict[str, str]) -> int:
    """One of the choices a form offers; an empty one is 0."""
    text = request.form.get(field, "")
    if text not in choices:
        raise ValidationFailed(f"{field}: choose one of what is offered.", field=field)
    return int(text or 0)


def _refuse_second_sending(once: str) -> None:
    """Reloading the page that shows a key must not make a second one."""
    try:
        key = f"once:{current_tenant().id}:{once[:60]}"
        is_first = not once or bool(get_redis().set(key, 1, nx=True, ex=FORM_HOURS * 3600))
    except RedisError:
        return
    if not is_first:
        message = "That form was sent before, and its key was shown then. Make another if you need one."
        raise Conflict(message, code=SENT_BEFORE)


def _back(message: str, kind: str) -> Response:
    flash(message, kind)
    return go_to(url_for(".show_keys"))


def _refused(error: AppError) -> Response:
    """The form again as it was filled in, with what was wrong beside the field."""
    typed = {**request.form.to_dict(), "scopes": request.form.getlist("scopes")}
    page = render_template("settings/api_keys.html", **_page(), errors=field_errors(error), typed=typed)
    return make_response(page, error.status)


def _shown(key: ApiKey, text: str, replaces: int | None = None) -> Response:
    old = next((row for row in api_keys.list_live() if row.id == replaces), None)
    page = render_template("settings/api_keys.html", **_page(), new_key=key, new_text=text, old_key=old)
    return make_response(page, 201)


def _page() -> dict[str, Any]:
    live, ended = api_keys.list_live(), api_keys.list_ended(ENDED_SHOWN)
    return {
        "live": live,
        "ended": ended,
        "makers": api_keys.name_makers([*live, *ended]),
        "state_of": api_keys.state_of,
        "scope_words": permissions.SCOPE_WORDS,
        "scopes": list(Scope),
        "expiries": EXPIRIES,
        "usual_expiry": USUAL_EXPIRY,
        "overlaps": OVERLAPS,
        "once": random_token(12),
        "address_of_audiences": absolute("/audience"),
    }
