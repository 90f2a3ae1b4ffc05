"""How many of a campaign's messages are in which state, kept with every change instead of counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.core.db import db
from app.core.tenancy import current_tenant_id
from app.messaging.models import CampaignTally, Message, MessageState
from app.messaging.services import country_counts, delivery_counts

_tallies: Any = CampaignTally.__table__
_messages: Any = Message.__table__


@dataclass(frozen=True)
class Shift:
    """`n` messages of a campaign went from a state and reason to another. `from_state` None: they are new.

    `seconds` is how long those that arrived were on their way, all together; `address` the number, for changes of what
    left: how messages fare is counted by country too. `sent_at` is when the provider took it, for changes into and out
    of what it took: it counts as sent at that time, and is taken back from there; without one, now.
    """

    campaign_id: int | None
    variant_id: int
    from_state: str | None
    from_reason: str
    to_state: str
    to_reason: str = ""
    n: int = 1
    seconds: float = 0.0
    address: str = ""
    sent_at: datetime | None = None


def shift(shifts: Iterable[Shift]) -> None:
    """Count the changes in the current unit of work: to stand beside the change itself, every time.

    A claimed message is counted as pending: it is one on its way out. Three statements at most, rows in a fixed order.
    Those of no campaign are counted by time only.
    """
    shifts = list(shifts)
    changes: Counter[tuple[int, int, str, str]] = Counter()
    for one in shifts:
        if one.campaign_id is None:
            continue
        if one.from_state is not None:
            changes[one.campaign_id, one.variant_id, _counted(one.from_state), one.from_reason] -= one.n
        changes[one.campaign_id, one.variant_id, _counted(one.to_state), one.to_reason] += one.n
    tenant_id = current_tenant_id()
    names = ("campaign_id", "variant_id", "state", "reason")
    rows = [
        dict(zip(names, key, strict=True)) | {"tenant_id": tenant_id, "n": change}
        for key, change in sorted(changes.items())
        if change
    ]
    delivery_counts.add_up(_tallies, names, ("n",), rows)
    delivery_counts.count(shifts)
    country_counts.count(shifts)


def _counted(state: str) -> str:
    return MessageState.PENDING if state == MessageState.CLAIMED else state


def of_campaign(campaign_id: int) -> list[CampaignTally]:
    """The campaign's figures: a handful of rows however many people there are."""
    where = (CampaignTally.campaign_id == campaign_id, CampaignTally.n != 0)
    return list(db.session.scalars(select(CampaignTally).where(*where)))


def by_state(campaign_id: int) -> dict[str, int]:
    """Messages by state."""
    found: Counter[str] = Counter()
    for row in of_campaign(campaign_id):
        found[row.state] += row.n
    return dict(found)


def count_open(campaign_id: int) -> int:
    """How many may still be sent or are being looked up."""
    found = by_state(campaign_id)
    return found.get(MessageState.PENDING, 0) + found.get(MessageState.UNKNOWN, 0)


def recount(campaign_id: int) -> dict[tuple[int, str, str], int]:
    """The same figures counted from the messages themselves: what the kept ones are checked against."""
    rows = db.session.execute(
        select(_messages.c.variant_id, _messages.c.state, _messages.c.reason, func.count())
        .where(_messages.c.tenant_id == current_tenant_id(), _messages.c.campaign_id == campaign_id)
        .group_by(_messages.c.variant_id, _messages.c.state, _messages.c.reason)
    )
    found: Counter[tuple[int, str, str]] = Counter()
    for variant_id, state, reason, n in rows:
        found[variant_id, _counted(state), reason] += n
    return dict(found)
