"""Endpoints: registered, changed, paused, their secrets rotated, deleted, and turned off when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from werkzeug.urls import iri_to_uri

from app.accounts.services import audit
from app.core.activity import record_activity
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db, get_required
from app.core.errors import Conflict, ValidationFailed
from app.core.jobs import enqueue
from app.core.outbound import check_url
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint
from app.webhooks.services import catalogue, signing

MAX_ENDPOINTS = 20
LONGEST_URL = 2000
LONGEST_DESCRIPTION = 120
MAX_OVERLAP_HOURS = 168


def page_of(endpoint_id: int) -> str:
    """Where people look at it."""
    return f"/app/settings/webhooks/{endpoint_id}"


def check_address(url: str) -> str:
    """The address as it is kept; refuses what is none, not https in production, or private. Asks the name service,
    so call it with no transaction open."""
    url = url.strip()
    if len(url) > LONGEST_URL:
        raise ValidationFailed(f"url: must be at most {LONGEST_URL} characters.", field="url")
    check_url(url, field="url")
    if "#" in url or any(letter.isspace() for letter in url):
        raise ValidationFailed("url: must have no # and no spaces.", field="url")
    if get_settings().environment == "production" and not url.lower().startswith("https://"):
        raise ValidationFailed("url: must begin with https://.", field="url")
    return _as_ascii(url)


def _as_ascii(url: str) -> str:
    kept = iri_to_uri(url)
    if not kept.isascii() or len(kept) > LONGEST_URL:
        raise ValidationFailed("url: cannot be written as a web address.", field="url")
    return kept


def register(
    url: str, events: Sequence[str], *, description: str = "", created_by: int | None = None
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint of the acting tenant and its secret. `url` is what `check_address` gave.

    Refuses no or unknown event types, an address that is registered already and a 21st endpoint.
    """
    chosen, description = catalogue.checked(events), _checked_description(description)
    if (db.session.scalar(select(func.count(WebhookEndpoint.id))) or 0) >= MAX_ENDPOINTS:
        raise Conflict(f"A workspace has at most {MAX_ENDPOINTS} webhooks. Delete one that is not used.")
    _refuse_second(url)
    secret = signing.new_secret()
    row = WebhookEndpoint(url=url, events=chosen, description=description, secret=secret, created_by=created_by)
    db.session.add(row)
    db.session.flush()
    audit.record("webhook.created", row, after={"url": url, "events": chosen})
    return row, secret


def _refuse_second(url: str, *, but_id: int = 0) -> None:
    """One address is one webhook: two would tell the same system everything twice."""
    statement = select(WebhookEndpoint.id).where(WebhookEndpoint.url == url, WebhookEndpoint.id != but_id)
    if db.session.scalar(statement.limit(1)) is not None:
        raise Conflict("There is a webhook to this address already.", field="url")


def _checked_description(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > LONGEST_DESCRIPTION:
        raise ValidationFailed(f"description: at most {LONGEST_DESCRIPTION} characters.", field="description")
    return text


def list_endpoints() -> list[WebhookEndpoint]:
    """The acting tenant's endpoints, newest first."""
    return list(db.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id.desc())))


def get_endpoint(endpoint_id: int, *, for_update: bool = False) -> WebhookEndpoint:
    return get_required(WebhookEndpoint, endpoint_id, for_update=for_update, label="Webhook")


def change(
    endpoint_id: int, *, url: str | None = None, events: Sequence[str] | None = None, description: str | None = None
) -> WebhookEndpoint:
    """Change what is not None. What already waits goes to the new address."""
    row = get_endpoint(endpoint_id, for_update=True)
    values: dict[str, Any] = {}
    if url is not None:
        _refuse_second(url, but_id=row.id)
        values["url"] = url
    if events is not None:
        values["events"] = catalogue.checked(events)
    if description is not None:
        values["description"] = _checked_description(description)
    before, after = audit.changed(row, values)
    if "url" in after:
        row.misses, row.resting_until = 0, None
    if after:
        db.session.flush()
        audit.record("webhook.changed", row, before=before, after=after)
    return row


def pause(endpoint_id: int) -> WebhookEndpoint:
    """Hold everything back; what happens meanwhile waits. One that was turned off stays so."""
    row = get_endpoint(endpoint_id, for_update=True)
    if row.state == EndpointState.DISABLED:
        raise Conflict("This webhook was turned off. Resume it first.")
    if row.state == EndpointState.ACTIVE:
        row.state, row.state_reason = EndpointState.PAUSED, ""
        audit.record("webhook.paused", row)
    return row


def resume(endpoint_id: int) -> WebhookEndpoint:
    """Send again, first what waits: it gets a day of attempts from now."""
    row = get_endpoint(endpoint_id, for_update=True)
    if row.state == EndpointState.ACTIVE:
        return row
    row.state, row.state_reason, row.misses, row.resting_until = EndpointState.ACTIVE, "", 0, None
    _update_waiting(row.id, started_at=utc_now(), due_at=utc_now(), tries=0, lease=None)
    audit.record("webhook.resumed", row)
    ask_to_send(row.id)
    return row


def rotate_secret(endpoint_id: int, *, overlap: timedelta) -> tuple[WebhookEndpoint, str]:
    """A new secret; the one before signs beside it for the overlap.

    Refused while an earlier overlap runs, since a third secret would end the oldest one unseen; without an overlap
    the new secret is the only one from now on.
    """
    row = get_endpoint(endpoint_id, for_update=True)
    if overlap and len(signing_keys(row, utc_now())) > 1:
        raise Conflict("The secret before this one still signs. Wait until it ends, or let both end at once.")
    ends_at = utc_now() + overlap if overlap else None
    row.previous_secret, row.previous_ends_at = (row.secret if overlap else None), ends_at
    row.secret = signing.new_secret()
    audit.record("webhook.rotated", row, after={"old_works_until": ends_at})
    return row, row.secret


def signing_keys(row: WebhookEndpoint, moment: datetime) -> list[str]:
    """The secrets that sign at this moment, newest first."""
    overlaps = row.previous_secret and row.previous_ends_at and row.previous_ends_at > moment
    return [row.secret, row.previous_secret] if overlaps and row.previous_secret else [row.secret]


def delete(endpoint_id: int) -> None:
    """Remove it with its deliveries; what waits is never sent."""
    row = get_endpoint(endpoint_id, for_update=True)
    audit.record("webhook.deleted", row, before={"url": row.url, "events": row.events})
    db.session.delete(row)
    db.session.flush()


def disable(row: WebhookEndpoint, reason: str) -> None:
    """Turn an endpoint off, locked by the caller: what waits has failed, and the bell says so."""
    row.state, row.state_reason = EndpointState.DISABLED, reason
    _update_waiting(row.id, state=DeliveryState.FAILED, lease=None, error=f"Not sent any more: {reason}"[:300])
    audit.record("webhook.disabled", row, after={"reason": reason})
    title = f"Webhook turned off: {row.name}"
    record_activity("webhook", title, f"{reason} Nothing is sent to it until someone resumes it.", page_of(row.id),
                    is_failure=True)  # fmt: skip


def _update_waiting(endpoint_id: int, **values: Any) -> None:
    db.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == DeliveryState.PENDING)
        .values(**values)
        .execution_options(synchronize_session="fetch")
    )


def ask_to_send(endpoint_id: int) -> None:
    """Have a worker send what is due. One such job at a time for each endpoint: this bounds what it is hit with."""
    enqueue("webhooks.send_due", unique_key=f"webhooks.send_due:{endpoint_id}", endpoint_id=endpoint_id)
