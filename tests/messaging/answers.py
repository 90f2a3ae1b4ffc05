"""What comes back of a campaign, as rows: messages in any state, clicks, texts, events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from app.cdp.services import recording
from app.cdp.services.recording import Fact
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.messaging.models import (
    Campaign,
    CampaignVariant,
    InboundMessage,
    LinkClick,
    Message,
    MessageState,
    TrackedLink,
)
from app.messaging.services import tallies
from app.messaging.services.tallies import Shift


@dataclass
class Answers:
    """Of one campaign of the acting tenant."""

    house: Any
    campaign_id: int

    def variants(self) -> list[int]:
        statement = select(CampaignVariant.id).where(CampaignVariant.campaign_id == self.campaign_id)
        return list(db.session.scalars(statement.order_by(CampaignVariant.label)))

    def began(self, days_ago: float, *, completed: bool = True) -> None:
        """The campaign started so long ago, and was over an hour later."""
        at = utc_now() - timedelta(days=days_ago)
        values = {"started_at": at, "state": "completed" if completed else "running"}
        if completed:
            values["completed_at"] = at + timedelta(hours=1)
        with unit_of_work():
            db.session.execute(update(Campaign).where(Campaign.id == self.campaign_id).values(values))

    def messages(
        self, profile_ids: Sequence[int], variant_id: int = 0, *, state: str = MessageState.DELIVERED,
        reason: str = "", at: datetime | None = None, took: float = 120.0, code: int | None = None,
    ) -> list[int]:  # fmt: skip
        """A message to each, counted as every one is: made, taken, and then in the state."""
        campaign = db.session.get_one(Campaign, self.campaign_id)
        at = at or campaign.started_at or utc_now()
        is_sent = state not in (MessageState.SKIPPED, MessageState.PENDING, MessageState.FAILED)
        arrived = at + timedelta(seconds=took) if state in (MessageState.DELIVERED, MessageState.READ) else None
        rows = [
            {
                "tenant_id": campaign.tenant_id, "campaign_id": self.campaign_id, "variant_id": variant_id,
                "profile_id": one, "channel": "sms", "address": f"+4915{one:09d}", "sender": "+15005550006",
                "state": state, "reason": reason, "created_at": at, "sent_at": at if is_sent else None,
                "delivered_at": arrived, "error_code": code, "ended_at": at,
            }
            for one in profile_ids
        ]  # fmt: skip
        with unit_of_work():
            ids = list(db.session.scalars(insert(Message).returning(Message.id), rows))
            seconds = took * len(ids) if arrived else 0.0
            tallies.shift([Shift(self.campaign_id, variant_id, None, "", "pending", "", len(ids))])
            tallies.shift(
                [Shift(self.campaign_id, variant_id, "pending", "", state, reason, len(ids), seconds, "+4915")]
            )
        return sorted(ids)

    def link(self, url: str = "https://shop.example/", position: int = 0) -> int:
        with unit_of_work():
            row = TrackedLink(campaign_id=self.campaign_id, position=position, url=url)
            db.session.add(row)
            db.session.flush()
            return row.id

    def click(self, link_id: int, message_ids: Sequence[int], times: int = 1) -> None:
        with unit_of_work():
            for message_id in message_ids:
                variant_id = db.session.get_one(Message, message_id).variant_id
                for n in range(times):
                    db.session.add(LinkClick(link_id=link_id, message_id=message_id, campaign_id=self.campaign_id,
                                             variant_id=variant_id, is_first=n == 0))  # fmt: skip

    def answer(self, message_ids: Sequence[int], kind: str = "text", at: datetime | None = None) -> None:
        with unit_of_work():
            for message_id in message_ids:
                message = db.session.get_one(Message, message_id)
                db.session.add(InboundMessage(
                    message_id=message_id, profile_id=message.profile_id, channel="sms", address=message.address,
                    sender=message.sender, body=kind, kind=kind, sid=f"IN{message_id}-{kind}",
                    received_at=at or utc_now(),
                ))  # fmt: skip

    def did(self, profile_ids: Sequence[int], name: str, at: datetime) -> None:
        """Their own doing, as it comes in by any way."""
        with unit_of_work():
            recording.record([Fact(one, name, at, f"{name}:{one}:{at.timestamp()}") for one in profile_ids])
