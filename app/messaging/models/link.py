"""Links in messages, short and signed, and who followed them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class TrackedLink(OfTenant, Base):
    """A web address in a text of a campaign; `position` is its place among the campaign's links, from 0."""

    __tablename__ = "tracked_links"
    __table_args__ = (UniqueConstraint("campaign_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    position: Mapped[int]
    url: Mapped[str] = mapped_column(Text)


class LinkClick(OfTenant, Base):
    """Someone followed a link; `is_first` the first time this message's reader followed this one."""

    __tablename__ = "link_clicks"
    __table_args__ = (
        Index("ix_link_clicks_link_id", "link_id", "is_first"),
        Index("ix_link_clicks_message_id", "message_id", "link_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("tracked_links.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(BigId)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    variant_id: Mapped[int] = mapped_column(default=0)
    is_first: Mapped[bool] = mapped_column(default=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
