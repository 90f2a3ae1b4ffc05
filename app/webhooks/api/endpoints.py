"""`/api/v1/webhooks`: registered, listed, changed, deleted; secrets rotated, pings sent."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, jsonify, make_response

from app.accounts.guards import current_caller, current_tenant, require_permission
from app.core import ratelimit
from app.core.db import release_connection, unit_of_work
from app.core.describe import Message, describe
from app.core.http import read_json, read_query
from app.core.paging import PageOut, PageQuery
from app.webhooks import queries
from app.webhooks.schemas import (
    DeliveryOut,
    EventTypesOut,
    NewWebhook,
    NewWebhookOut,
    SecretRotation,
    WebhookChange,
    WebhookOut,
    show_delivery,
    show_new_webhook,
    show_webhook,
)
from app.webhooks.services import catalogue, deliveries, endpoints

bp = Blueprint("webhooks_api", __name__, url_prefix="/api/v1/webhooks")
TAG = "Webhooks"


@bp.post("")
@describe("Register a webhook", TAG, body=NewWebhook, answers={201: NewWebhookOut}, errors=(409, 503))
@require_permission("webhooks.manage")
def create() -> Response:
    """The secret is in this answer and nowhere else."""
    body = read_json(NewWebhook)
    user = current_caller().user
    maker_id = user.id if user else None
    ratelimit.check("webhook.create", str(current_tenant().id))
    release_connection()
    url = endpoints.check_address(body.url)
    with unit_of_work():
        row, secret = endpoints.register(url, body.events, description=body.description, created_by=maker_id)
    return make_response(jsonify(show_new_webhook(row, secret)), 201)


@bp.get("")
@describe("Webhooks, newest first", TAG, query=PageQuery, answers={200: PageOut[WebhookOut]})
@require_permission("webhooks.manage")
def index() -> Response:
    query = read_query(PageQuery)
    return jsonify(queries.page_endpoints(query.page, query.limit).out(show_webhook))


@bp.get("/event-types")
@describe("What a webhook can ask for", TAG, answers={200: EventTypesOut})
@require_permission("webhooks.manage")
def event_types() -> Response:
    return jsonify({"items": [{"name": one.name, "description": one.words} for one in catalogue.list_types()]})


@bp.get("/<int:webhook_id>")
@describe("One webhook", TAG, answers={200: WebhookOut}, errors=(404,))
@require_permission("webhooks.manage")
def show(webhook_id: int) -> Response:
    return jsonify(show_webhook(endpoints.get_endpoint(webhook_id)))


@bp.patch("/<int:webhook_id>")
@describe(
    "Change, pause or resume a webhook", TAG, body=WebhookChange, answers={200: WebhookOut}, errors=(404, 409, 503)
)
@require_permission("webhooks.manage")
def change(webhook_id: int) -> Response:
    endpoints.get_endpoint(webhook_id)
    body = read_json(WebhookChange)
    release_connection()
    url = None if body.url is None else endpoints.check_address(body.url)
    with unit_of_work():
        row = endpoints.change(webhook_id, url=url, events=body.events, description=body.description)
        if body.state is not None:
            row = endpoints.resume(webhook_id) if body.state == "active" else endpoints.pause(webhook_id)
    return jsonify(show_webhook(row))


@bp.delete("/<int:webhook_id>")
@describe("Delete a webhook with its deliveries", TAG, answers={200: Message}, errors=(404, 503))
@require_permission("webhooks.manage")
def delete(webhook_id: int) -> Response:
    with unit_of_work():
        endpoints.delete(webhook_id)
    return jsonify({"message": "The webhook is deleted."})


@bp.post("/<int:webhook_id>/rotate-secret")
@describe(
    "Make a new secret; the old one signs beside it for the overlap", TAG,
    body=SecretRotation, answers={200: NewWebhookOut}, errors=(404, 409, 503),
)  # fmt: skip
@require_permission("webhooks.manage")
def rotate_secret(webhook_id: int) -> Response:
    endpoints.get_endpoint(webhook_id)
    body = read_json(SecretRotation)
    with unit_of_work():
        row, secret = endpoints.rotate_secret(webhook_id, overlap=timedelta(hours=body.overlap_hours))
    return jsonify(show_new_webhook(row, secret))


@bp.post("/<int:webhook_id>/ping")
@describe("Send a test message", TAG, answers={202: DeliveryOut}, errors=(404, 409, 503))
@require_permission("webhooks.manage")
def ping(webhook_id: int) -> Response:
    ratelimit.check("webhook.send", str(current_tenant().id))
    with unit_of_work():
        row = deliveries.ping(webhook_id)
    return make_response(jsonify(show_delivery(row)), 202)
