"""From an event to one delivery for each endpoint that asked for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core.clock import iso
from app.core.db import db
from app.core.events import Emitted
from app.webhooks.models import EndpointState, WebhookDelivery, WebhookEndpoint
from app.webhooks.services import endpoints

PEOPLE = ("profile_id", "profile_ids")


@dataclass(frozen=True)
class Told:
    """An event as the outside hears of it. `event_id` is the same however often it reaches us; a ping has none."""

    event_id: int | None
    event_type: str
    at: datetime
    data: dict[str, Any]

    @property
    def body(self) -> str:
        """Kept as it is: what is signed, and sent again, is this text to the letter."""
        return as_body({"event": self.event_type, "timestamp": iso(self.at), "data": self.data})


def as_body(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=str)


def find_told(emitted: Emitted) -> Told | None:
    """How the event looks to the outside, or None when it is nothing for the outside. Asks no database."""
    said = emitted.event.outside()
    return None if said is None else Told(emitted.id, said[0], emitted.at, said[1])


def list_listeners(event_type: str) -> list[int]:
    """The endpoints that want this type. Paused ones too: what happens meanwhile waits for them."""
    rows = db.session.execute(
        select(WebhookEndpoint.id, WebhookEndpoint.events).where(WebhookEndpoint.state != EndpointState.DISABLED)
    )
    return [row.id for row in rows if event_type in row.events]


def keep(told: Told, endpoint_ids: Sequence[int]) -> None:
    """A delivery for each endpoint that has none of this event yet, and workers to send them."""
    for endpoint_id in endpoint_ids:
        if _has(told, endpoint_id):
            continue
        try:
            with db.session.begin_nested():
                add(told, endpoint_id)
        except IntegrityError:  # another process tells of the same event, or the endpoint was just deleted
            continue
        endpoints.ask_to_send(endpoint_id)


def _has(told: Told, endpoint_id: int) -> bool:
    statement = select(WebhookDelivery.id).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.event_id == told.event_id
    )
    return db.session.scalar(statement) is not None


def add(told: Told, endpoint_id: int) -> WebhookDelivery:
    """The row alone; the caller asks for it to be sent."""
    row = WebhookDelivery(
        endpoint_id=endpoint_id, event_id=told.event_id, event_type=told.event_type, message_id=f"msg_{uuid4().hex}",
        body=told.body, names_people=any(name in told.data for name in PEOPLE),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row
