"""Facts about the people of a tenant."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.events import Event


@dataclass(frozen=True)
class MemberRemoved(Event):
    """Someone left the tenant for good; their account may live on in another."""

    user_id: int
