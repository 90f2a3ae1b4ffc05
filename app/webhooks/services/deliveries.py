"""Deliveries: taken under a lease, sent, recorded, tried again, given up; pings and replays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from app.core.clock import iso, utc_now
from app.core.db import db, get_required
from app.core.errors import Conflict
from app.core.outbound_post import Answer, post
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint
from app.webhooks.services import catalogue, endpoints, pauses, signing, telling

SECONDS = 10.0
LEASE = timedelta(seconds=60)
KEPT_BYTES = 1024
KEPT_ATTEMPTS = 20
GONE = 410


@dataclass(frozen=True)
class Parcel:
    """A delivery that a worker took, as plain values: good with no transaction open."""

    delivery_id: int
    endpoint_id: int
    lease: str
    url: str
    keys: list[str]
    message_id: str
    body: str


def claim(endpoint_id: int) -> Parcel | None:
    """Take the endpoint's next due delivery; None when there is none, or the endpoint is not to be sent to now."""
    now = utc_now()
    endpoint = _find_endpoint(endpoint_id)
    if endpoint is None or endpoint.state != EndpointState.ACTIVE:
        return None
    if endpoint.resting_until is not None and endpoint.resting_until > now:
        return None
    due = _waiting(endpoint_id).where(WebhookDelivery.due_at <= now)
    row = db.session.scalars(due.order_by(WebhookDelivery.due_at, WebhookDelivery.id).limit(1)).one_or_none()
    if row is None:
        return None
    row.lease, row.due_at = uuid4().hex, now + LEASE
    row.attempts, row.tries = row.attempts + 1, row.tries + 1
    keys = endpoints.signing_keys(endpoint, now)
    return Parcel(row.id, endpoint_id, row.lease, endpoint.url, keys, row.message_id, row.body)


def _find_endpoint(endpoint_id: int, *, for_update: bool = False) -> WebhookEndpoint | None:
    statement = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)
    statement = statement.with_for_update() if for_update else statement
    return db.session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def _waiting(endpoint_id: int) -> Any:
    return (
        select(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == DeliveryState.PENDING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def send(parcel: Parcel) -> Answer:
    """Send it, signed for this moment, and give what came back. Call with no transaction open."""
    headers = signing.headers(parcel.keys, parcel.message_id, utc_now(), parcel.body) | {
        "content-type": "application/json",
        "user-agent": "Parley-Webhooks/1",
    }
    return post(parcel.url, parcel.body.encode(), headers, seconds=SECONDS, keep=KEPT_BYTES)


def record(parcel: Parcel, answer: Answer) -> None:
    """Write down what came of it. Nothing when the lease was lost: another worker has taken it since.

    The endpoint is locked first, here as everywhere, so that two who write about it never wait for each other.
    """
    endpoint = _find_endpoint(parcel.endpoint_id, for_update=True)
    ours = _waiting(parcel.endpoint_id).where(
        WebhookDelivery.id == parcel.delivery_id, WebhookDelivery.lease == parcel.lease
    )
    row = db.session.scalars(ours).one_or_none()
    if endpoint is None or row is None:
        return
    now = utc_now()
    _note(row, answer, now)
    if 200 <= answer.status < 300:
        row.state, row.delivered_at = DeliveryState.DELIVERED, now
        endpoint.last_success_at, endpoint.misses, endpoint.resting_until = now, 0, None
        return
    endpoint.last_failure_at = now
    if answer.status == GONE:
        row.state = DeliveryState.FAILED
        endpoints.disable(endpoint, "It answered 410 Gone.")
        return
    _rest(endpoint, answer, now)
    _try_again(endpoint, row, answer, now)


def _note(row: WebhookDelivery, answer: Answer, now: datetime) -> None:
    error = answer.error or _refusal(answer.status)
    row.lease, row.status, row.answer, row.error = None, answer.status, answer.text, error[:300]
    attempt = {"at": iso(now), "status": answer.status, "error": row.error, "took_ms": answer.took_ms}
    row.history = [*row.history, attempt][-KEPT_ATTEMPTS:]


def _refusal(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return f"It answered {status}." + (" Redirects are not followed." if 300 <= status < 400 else "")


def _rest(endpoint: WebhookEndpoint, answer: Answer, now: datetime) -> None:
    """One that is not there costs a worker its whole time limit, so it is left alone for a while, whatever waits."""
    endpoint.misses = endpoint.misses + 1 if answer.is_late else 0
    endpoint.resting_until = now + pauses.rest(endpoint.misses) if endpoint.misses else None


def _try_again(endpoint: WebhookEndpoint, row: WebhookDelivery, answer: Answer, now: datetime) -> None:
    due_at = pauses.next_try(row.started_at, row.tries, now, answer.retry_after)
    if due_at is not None:
        row.due_at = due_at
        return
    row.state = DeliveryState.FAILED
    db.session.flush()
    if endpoint.last_success_at is None or endpoint.last_success_at < row.started_at:
        endpoints.disable(endpoint, "It accepted nothing for a day.")


def ping(endpoint_id: int) -> WebhookDelivery:
    """Send a test message, whatever types the endpoint asked for. Refused while it is paused or turned off."""
    endpoint = endpoints.get_endpoint(endpoint_id, for_update=True)
    _require_active(endpoint)
    data = {"webhook_id": endpoint.id, "message": "If you can read this, and the signature is right, all is well."}
    row = telling.add(telling.Told(None, catalogue.PING, utc_now(), data), endpoint.id)
    _send_now(endpoint)
    return row


def replay(delivery_id: int) -> WebhookDelivery:
    """Send it once more, at once and with the same id; it has a day of attempts again."""
    endpoint_id = get_delivery(delivery_id).endpoint_id
    endpoint = endpoints.get_endpoint(endpoint_id, for_update=True)
    _require_active(endpoint)
    row = get_delivery(delivery_id, for_update=True)
    now = utc_now()
    row.state, row.started_at, row.due_at, row.tries, row.lease = DeliveryState.PENDING, now, now, 0, None
    row.delivered_at = None
    _send_now(endpoint)
    return row


def _require_active(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != EndpointState.ACTIVE:
        raise Conflict("Nothing is sent to this webhook now. Resume it first.")


def _send_now(endpoint: WebhookEndpoint) -> None:
    endpoint.misses, endpoint.resting_until = 0, None
    endpoints.ask_to_send(endpoint.id)


def get_delivery(delivery_id: int, *, for_update: bool = False) -> WebhookDelivery:
    return get_required(WebhookDelivery, delivery_id, for_update=for_update, label="Delivery")
