"""One person known to a tenant."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, BigId, OfTenant


def key_text(length: int) -> String:
    """Text compared byte by byte on every database, so that a prefix is a range of its index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def index_of_the_living(name: str, *columns: str) -> Index:
    """An index without those that turned out to be others: lists and counts are answered from it alone."""
    living = text("merged_into_id IS NULL")
    return Index(name, *columns, sqlite_where=living, postgresql_where=living)


_REACHABLE = text("merged_into_id IS NULL AND phone <> ''")


class Lifecycle(StrEnum):
    ANONYMOUS = "anonymous"
    KNOWN = "known"
    LEAD = "lead"
    CUSTOMER = "customer"
    ACTIVE = "active"
    CHURNED = "churned"


class Profile(OfTenant, Base):
    """A person, or (with `merged_into_id`) what is left of one that turned out to be another.

    `email`, `phone` and `user_id` repeat the newest identity of that kind, so that lists read one table.
    """

    __tablename__ = "profiles"
    __table_args__ = (
        index_of_the_living("ix_profiles_tenant_id_lifecycle", "tenant_id", "lifecycle", "id"),
        index_of_the_living("ix_profiles_tenant_id_name_key", "tenant_id", "name_key"),
        index_of_the_living("ix_profiles_tenant_id_surname_key", "tenant_id", "surname_key"),
        index_of_the_living("ix_profiles_tenant_id_last_seen_at", "tenant_id", "last_seen_at"),
        Index("ix_profiles_tenant_id_phone", "tenant_id", "id", sqlite_where=_REACHABLE, postgresql_where=_REACHABLE),
        Index(
            "ix_profiles_merged_into_id",
            "merged_into_id",
            "tenant_id",
            sqlite_where=text("merged_into_id IS NOT NULL"),
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    name_key: Mapped[str] = mapped_column(key_text(200), default="")  # lower case, for prefix search
    surname_key: Mapped[str] = mapped_column(key_text(200), default="")  # the same, last name first
    email: Mapped[str] = mapped_column(String(320), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")
    user_id: Mapped[str] = mapped_column(String(200), default="")
    traits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    lifecycle: Mapped[str] = mapped_column(String(12), default=Lifecycle.ANONYMOUS)
    merged_into_id: Mapped[int | None] = mapped_column(BigId)
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
