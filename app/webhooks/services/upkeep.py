"""What becomes of old deliveries, and of those that name someone who was erased."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from app.core.clock import utc_now
from app.core.db import db
from app.webhooks.models import WebhookDelivery
from app.webhooks.services.telling import as_body

KEPT = timedelta(days=30)
AT_ONCE = 500


def purge() -> int:
    """Forget up to 500 deliveries of over 30 days ago, across tenants; returns how many they were."""
    old = select(WebhookDelivery.id).where(WebhookDelivery.created_at < utc_now() - KEPT).limit(AT_ONCE)
    ids = list(db.session.scalars(old))
    if ids:
        statement = delete(WebhookDelivery).where(WebhookDelivery.id.in_(ids))
        db.session.execute(statement.execution_options(synchronize_session=False))
    return len(ids)


def list_naming(profile_id: int, after_id: int = 0) -> list[WebhookDelivery]:
    """The acting tenant's next deliveries whose body may name the person: their number stands somewhere in it."""
    statement = select(WebhookDelivery).where(
        WebhookDelivery.names_people, WebhookDelivery.body.contains(str(profile_id)), WebhookDelivery.id > after_id
    )
    return list(db.session.scalars(statement.order_by(WebhookDelivery.id).limit(AT_ONCE)))


def names(row: WebhookDelivery, profile_id: int) -> bool:
    """Whether the body does name the person."""
    data = json.loads(row.body)["data"]
    return data.get("profile_id") == profile_id or profile_id in data.get("profile_ids", ())


def forget(rows: list[WebhookDelivery], profile_id: int) -> None:
    """Take the person out of the bodies; a delivery that names nobody else goes with them."""
    for row in rows:
        if not names(row, profile_id):
            continue
        body: dict[str, Any] = json.loads(row.body)
        others = [one for one in body["data"].get("profile_ids", ()) if one != profile_id]
        if others and body["data"].get("profile_id") != profile_id:
            body["data"]["profile_ids"] = others
            row.body, row.answer = as_body(body), ""  # a receiver may have said it back
        else:
            db.session.delete(row)
