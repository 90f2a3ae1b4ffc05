"""What a profile is known by, and the record of profiles that became one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.cdp.models.profile import key_text
from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


class Identity(OfTenant, Base):
    """`kind` is anonymous_id, user_id, email, phone or external:<system>; `value` is normalised.

    `origin_profile_id` is who had it before a merge: what comes by it goes back with them when the merge is undone.
    """

    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "value"),
        Index("ix_identities_profile_id", "profile_id", "tenant_id"),
        Index("ix_identities_tenant_id_value", "tenant_id", "value"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(50))
    value: Mapped[str] = mapped_column(key_text(320))
    origin_profile_id: Mapped[int | None] = mapped_column(BigId)
    source: Mapped[str] = mapped_column(String(40), default="")
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class ProfileMerge(OfTenant, Base):
    """Two profiles became one: what moved, so that it can be taken back."""

    __tablename__ = "profile_merges"
    __table_args__ = (
        Index("ix_profile_merges_tenant_id_winner_id", "tenant_id", "winner_id"),
        Index("ix_profile_merges_tenant_id_loser_id", "tenant_id", "loser_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    winner_id: Mapped[int] = mapped_column(BigId)
    loser_id: Mapped[int] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(String(200), default="")
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)  # identity ids, the winner's values before
    user_id: Mapped[int | None]
    merged_at: Mapped[datetime] = mapped_column(default=utc_now)
    undone_at: Mapped[datetime | None]


class IdentityRefusal(OfTenant, Base):
    """An identity that came with a profile's events but stayed where it was, since a limit did not allow to join.

    What a change of the rules would join is read from here.
    """

    __tablename__ = "identity_refusals"
    __table_args__ = (
        UniqueConstraint("profile_id", "kind", "value"),
        Index("ix_identity_refusals_tenant_id", "tenant_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(50))
    value: Mapped[str] = mapped_column(key_text(320))
    at: Mapped[datetime] = mapped_column(default=utc_now)


class IdentityRules(OfTenant, Base):
    """A tenant's own rules: how many values of a kind a profile may have, values that mean nobody, who wins.

    `default_region` is the country of phone numbers written without one; empty: such a number is refused.
    """

    __tablename__ = "identity_rules"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    blocked: Mapped[dict[str, Any]] = mapped_column(default=dict)
    priority: Mapped[list[Any]] = mapped_column(default=list)
    default_region: Mapped[str] = mapped_column(String(2), default="")
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
