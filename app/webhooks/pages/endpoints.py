"""Webhooks as pages: made, their secret shown once, changed, paused, rotated, tested, deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.accounts.guards import current_tenant, current_user, require_permission
from app.core import ratelimit
from app.core.clock import utc_now
from app.core.db import release_connection, unit_of_work
from app.core.errors import AppError, NotFound, ValidationFailed
from app.core.htmx import go_to
from app.webhooks import queries
from app.webhooks.forms import field_errors
from app.webhooks.models import WebhookEndpoint
from app.webhooks.pages.deliveries import deliveries_view
from app.webhooks.services import catalogue, deliveries, endpoints

bp = Blueprint("webhooks_pages", __name__, url_prefix="/app/settings/webhooks")
OVERLAPS = (("0", "at once"), ("1", "in an hour"), ("24", "in a day"), ("168", "in a week"))


@bp.get("")
@require_permission("webhooks.manage")
def show_webhooks() -> Response:
    return _list_page()


@bp.post("")
@require_permission("webhooks.manage")
def create_webhook() -> Response:
    """Answers with the secret itself: it is shown nowhere else, so there is no page to lead to."""
    form, maker_id = request.form, current_user().id
    try:
        ratelimit.check("webhook.create", str(current_tenant().id))
        release_connection()
        url = endpoints.check_address(form.get("url", ""))
        with unit_of_work():
            description, events = form.get("description", ""), form.getlist("events")
            row, secret = endpoints.register(url, events, description=description, created_by=maker_id)
    except AppError as error:
        return _list_page(error)
    return _page(row, secret=secret, status=201)


@bp.get("/<int:webhook_id>")
@require_permission("webhooks.manage")
def show_webhook(webhook_id: int) -> Response:
    return _page(endpoints.get_endpoint(webhook_id))


@bp.post("/<int:webhook_id>")
@require_permission("webhooks.manage")
def change_webhook(webhook_id: int) -> Response:
    form = request.form
    row = endpoints.get_endpoint(webhook_id)
    try:
        release_connection()
        url = endpoints.check_address(form.get("url", ""))
        with unit_of_work():
            description, events = form.get("description", ""), form.getlist("events")
            endpoints.change(webhook_id, url=url, events=events, description=description)
    except NotFound:
        raise
    except AppError as error:
        return _page(row, error=error)
    return _back(webhook_id, "Saved.", "ok")


@bp.post("/<int:webhook_id>/pause")
@require_permission("webhooks.manage")
def pause_webhook(webhook_id: int) -> Response:
    with unit_of_work():
        endpoints.pause(webhook_id)
    return _back(webhook_id, "Paused. What happens meanwhile waits, and is sent when you resume.", "ok")


@bp.post("/<int:webhook_id>/resume")
@require_permission("webhooks.manage")
def resume_webhook(webhook_id: int) -> Response:
    with unit_of_work():
        endpoints.resume(webhook_id)
    return _back(webhook_id, "Sending again.", "ok")


@bp.post("/<int:webhook_id>/rotate-secret")
@require_permission("webhooks.manage")
def rotate_secret(webhook_id: int) -> Response:
    hours = request.form.get("overlap_hours", "")
    if hours not in dict(OVERLAPS):
        raise ValidationFailed("overlap_hours: choose one of what is offered.", field="overlap_hours")
    try:
        with unit_of_work():
            row, secret = endpoints.rotate_secret(webhook_id, overlap=timedelta(hours=int(hours)))
    except NotFound:
        raise
    except AppError as error:
        return _back(webhook_id, error.message, "warn")
    return _page(row, secret=secret, status=201)


@bp.post("/<int:webhook_id>/ping")
@require_permission("webhooks.manage")
def ping_webhook(webhook_id: int) -> Response:
    try:
        ratelimit.check("webhook.send", str(current_tenant().id))
        with unit_of_work():
            deliveries.ping(webhook_id)
    except NotFound:
        raise
    except AppError as error:
        return _back(webhook_id, error.message, "warn")
    return _back(webhook_id, "A test message is on its way: see what comes back under Deliveries.", "ok")


@bp.post("/<int:webhook_id>/delete")
@require_permission("webhooks.manage")
def delete_webhook(webhook_id: int) -> Response:
    with unit_of_work():
        name = endpoints.get_endpoint(webhook_id).name
        endpoints.delete(webhook_id)
    flash(f"The webhook {name[:80]} is deleted. Nothing is sent to it any more.", "ok")
    return go_to(url_for(".show_webhooks"))


def _back(webhook_id: int, message: str, kind: str) -> Response:
    flash(message, kind)
    return go_to(url_for(".show_webhook", webhook_id=webhook_id))


def _typed() -> dict[str, Any]:
    return {**request.form.to_dict(), "events": request.form.getlist("events")}


def _list_page(error: AppError | None = None) -> Response:
    """With an error: the form again as it was filled in, with what was wrong beside the field."""
    page = render_template(
        "webhooks/list.html",
        rows=endpoints.list_endpoints(),
        counts=queries.count_by_endpoint(),
        none=queries.Counts(),
        types=catalogue.list_types(),
        typed=_typed() if error else None,
        errors=field_errors(error),
    )
    return make_response(page, error.status if error else 200)


def _page(row: WebhookEndpoint, *, secret: str = "", error: AppError | None = None, status: int = 200) -> Response:
    kept = {"url": row.url, "description": row.description, "events": row.events}
    keys = endpoints.signing_keys(row, utc_now())
    page = render_template(
        "webhooks/show.html", webhook=row, secret=secret, types=catalogue.list_types(), overlaps=OVERLAPS,
        form=_typed() if error else kept, errors=field_errors(error), old_works=len(keys) > 1,
        **deliveries_view(row.id),
    )  # fmt: skip
    return make_response(page, error.status if error else status)
