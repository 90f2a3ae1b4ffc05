"""What was sent to a webhook, what came back, and sending it once more."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response

from app.accounts.guards import current_tenant, require_permission
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_query
from app.core.paging import PageOut
from app.webhooks import queries
from app.webhooks.schemas import DeliveryOut, DeliveryQuery, show_delivery
from app.webhooks.services import deliveries, endpoints

bp = Blueprint("webhook_deliveries_api", __name__, url_prefix="/api/v1/webhooks")
TAG = "Webhooks"


@bp.get("/<int:webhook_id>/deliveries")
@describe(
    "What was sent, newest first", TAG, query=DeliveryQuery, answers={200: PageOut[DeliveryOut]}, errors=(404,)
)  # fmt: skip
@require_permission("webhooks.manage")
def index(webhook_id: int) -> Response:
    endpoints.get_endpoint(webhook_id)
    query = read_query(DeliveryQuery)
    return jsonify(queries.page_deliveries(webhook_id, query.page, query.limit, query.state).out(show_delivery))


@bp.get("/deliveries/<int:delivery_id>")
@describe("One delivery", TAG, answers={200: DeliveryOut}, errors=(404,))
@require_permission("webhooks.manage")
def show(delivery_id: int) -> Response:
    return jsonify(show_delivery(deliveries.get_delivery(delivery_id)))


@bp.post("/deliveries/<int:delivery_id>/replay")
@describe("Send it once more, with the same webhook-id", TAG, answers={202: DeliveryOut}, errors=(404, 409, 503))
@require_permission("webhooks.manage")
def replay(delivery_id: int) -> Response:
    ratelimit.check("webhook.send", str(current_tenant().id))
    with unit_of_work():
        row = deliveries.replay(delivery_id)
    return make_response(jsonify(show_delivery(row)), 202)
