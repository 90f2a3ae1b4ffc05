"""What messages hold of one person: handed out, and removed."""

from __future__ import annotations

from typing import Any

from app.cdp import personal_data as customer_data
from app.cdp.queries.contacts import refused_numbers
from app.cdp.services import merges, profiles
from app.core.clock import iso
from app.messaging.queries import people
from app.messaging.services import erasure

OURS = {"tenant_id", "claim", "claimed_at"}  # ours alone, and nothing about a person


@customer_data.also_export
def export(profile_id: int) -> dict[str, Any]:
    """Every message to and from the person, their talks and the links they followed; NotFound when there is nobody."""
    ids = merges.with_merged(profiles.get_profile(profile_id).id)
    messages = people.list_messages(ids)
    return {
        "messages": [_plain(row) for row in messages],
        "messages_received": [_plain(row) for row in people.list_inbound(ids)],
        "message_threads": [_plain(row) for row in people.list_threads(ids)],
        "link_clicks": [_plain(row) for row in people.list_clicks(row.id for row in messages)],
    }


def erase(profile_id: int) -> None:
    """Blank numbers and texts; a no is remembered by the number. Erasing the profile itself leads here too."""
    ids = merges.with_merged(profiles.get_profile(profile_id).id)
    erasure.erase_people(ids, [(channel, number) for channel, number in refused_numbers(ids)])


def _plain(row: Any) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key not in OURS}
    return {name: iso(value) if hasattr(value, "isoformat") else value for name, value in values.items()}
