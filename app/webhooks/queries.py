"""Lists and counts of webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, func, or_, select

from app.core.clock import utc_now
from app.core.db import db
from app.core.paging import Page, paginate
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint

SWEPT_AT_ONCE = 500


@dataclass(frozen=True)
class Counts:
    """What became of an endpoint's deliveries of the last day, and what waits."""

    delivered: int = 0
    failed: int = 0
    pending: int = 0


def page_endpoints(page: int, limit: int) -> Page[WebhookEndpoint]:
    """The acting tenant's endpoints, newest first."""
    return paginate(select(WebhookEndpoint).order_by(WebhookEndpoint.id.desc()), page, limit)


def page_deliveries(endpoint_id: int, page: int, limit: int, state: str | None = None) -> Page[WebhookDelivery]:
    """An endpoint's deliveries, newest first; `state` narrows them."""
    statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if state:
        statement = statement.where(WebhookDelivery.state == state)
    return paginate(statement.order_by(WebhookDelivery.id.desc()), page, limit)


def count_by_endpoint() -> dict[int, Counts]:
    """For each of the acting tenant's endpoints that has any; one query."""
    recent = or_(
        WebhookDelivery.created_at >= utc_now() - timedelta(days=1), WebhookDelivery.state == DeliveryState.PENDING
    )
    statement = select(WebhookDelivery.endpoint_id, WebhookDelivery.state, func.count()).where(recent)
    found: dict[int, dict[str, int]] = {}
    for endpoint_id, state, count in db.session.execute(
        statement.group_by(WebhookDelivery.endpoint_id, WebhookDelivery.state)
    ):
        found.setdefault(endpoint_id, {})[state] = count
    return {endpoint_id: Counts(**counts) for endpoint_id, counts in found.items()}


def list_due() -> list[tuple[int, int]]:
    """Tenant and endpoint of whatever has something to send now, across tenants. Cost: live endpoints only."""
    now = utc_now()
    waits = exists().where(
        WebhookDelivery.endpoint_id == WebhookEndpoint.id,
        WebhookDelivery.state == DeliveryState.PENDING,
        WebhookDelivery.due_at <= now,
    )
    statement = select(WebhookEndpoint.tenant_id, WebhookEndpoint.id).where(
        WebhookEndpoint.state == EndpointState.ACTIVE,
        or_(WebhookEndpoint.resting_until.is_(None), WebhookEndpoint.resting_until <= now),
        waits,
    )
    return [(row[0], row[1]) for row in db.session.execute(statement.limit(SWEPT_AT_ONCE))]
