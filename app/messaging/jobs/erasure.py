"""What goes with a person who is erased."""

from __future__ import annotations

from app.cdp.events import ProfilesErased
from app.core.db import unit_of_work
from app.core.events import subscribe
from app.messaging.services import erasure


@subscribe(ProfilesErased)
def forget_messages(event: ProfilesErased) -> None:
    """A person was erased from customer data: numbers and texts follow. Harmless when heard twice."""
    with unit_of_work():
        erasure.erase_people(event.profile_ids, [(channel, number) for channel, number in event.refused])
