"""What webhooks hold of one person: the numbers of people in the messages of the last 30 days."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.core.clock import iso
from app.core.jobs import enqueue
from app.webhooks.models import WebhookDelivery
from app.webhooks.services import upkeep


def export(profile_ids: Iterable[int]) -> dict[str, Any]:
    """Which messages named these, who are one person, and when."""
    found: dict[int, dict[str, Any]] = {}
    for profile_id in profile_ids:
        after_id = 0
        while rows := upkeep.list_naming(profile_id, after_id):
            found |= {row.id: _plain(row) for row in rows if upkeep.names(row, profile_id)}
            after_id = rows[-1].id
    return {"webhook_deliveries": list(found.values())}


def _plain(row: WebhookDelivery) -> dict[str, Any]:
    made_at = iso(row.created_at)
    return {"webhook_id": row.endpoint_id, "event": row.event_type, "created_at": made_at, "state": row.state}


def erase(profile_id: int) -> None:
    """Take the person out of every message that is kept; a worker does it, within moments."""
    enqueue("webhooks.forget_person", profile_id=profile_id)
