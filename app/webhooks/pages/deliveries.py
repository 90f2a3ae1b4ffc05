"""What was sent to a webhook and what came back: the list on its page, one delivery, sending it once more."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.accounts.guards import current_tenant, require_permission
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.errors import AppError, NotFound
from app.core.htmx import go_to
from app.core.http import int_argument
from app.webhooks import queries
from app.webhooks.models import DeliveryState, WebhookDelivery
from app.webhooks.services import deliveries, endpoints

bp = Blueprint("webhook_deliveries_pages", __name__, url_prefix="/app/settings/webhooks")
PAGE = 20
STATES = {  # in words and a colour; one that waits after an attempt is being tried again
    DeliveryState.PENDING: ("waiting", "live"),
    DeliveryState.DELIVERED: ("delivered", "ok"),
    DeliveryState.FAILED: ("failed", "bad"),
}


@bp.get("/<int:webhook_id>/deliveries")
@require_permission("webhooks.manage")
def list_deliveries(webhook_id: int) -> str:
    """The list alone, for the page that shows it."""
    row = endpoints.get_endpoint(webhook_id)
    return render_template("webhooks/_deliveries.html", webhook=row, **deliveries_view(webhook_id))


@bp.get("/deliveries/<int:delivery_id>")
@require_permission("webhooks.manage")
def show_delivery(delivery_id: int) -> str:
    row = deliveries.get_delivery(delivery_id)
    body = json.dumps(json.loads(row.body), indent=2, ensure_ascii=False)
    webhook = endpoints.get_endpoint(row.endpoint_id)
    return render_template("webhooks/delivery.html", row=row, webhook=webhook, body=body, state_of=state_of)


@bp.post("/deliveries/<int:delivery_id>/replay")
@require_permission("webhooks.manage")
def replay(delivery_id: int) -> Response:
    try:
        ratelimit.check("webhook.send", str(current_tenant().id))
        with unit_of_work():
            deliveries.replay(delivery_id)
    except NotFound:
        raise
    except AppError as error:
        return _back(delivery_id, error.message, "warn")
    return _back(delivery_id, "It is on its way once more, with the same id.", "ok")


def _back(delivery_id: int, message: str, kind: str) -> Response:
    flash(message, kind)
    return go_to(url_for(".show_delivery", delivery_id=delivery_id))


def deliveries_view(webhook_id: int) -> dict[str, Any]:
    """What the list of deliveries shows, narrowed and paged by the address."""
    state = request.args.get("state", "")
    chosen = state if state in list(DeliveryState) else ""
    number = int_argument("page", 1, high=100_000) or 1
    page = queries.page_deliveries(webhook_id, number, PAGE, chosen)
    return {"page": page, "state": chosen, "states": list(DeliveryState), "state_of": state_of}


def state_of(row: WebhookDelivery) -> tuple[str, str]:
    """A delivery's state in words, and its colour."""
    if row.state == DeliveryState.PENDING and row.tries:
        return "trying again", "warn"
    return STATES[DeliveryState(row.state)]
