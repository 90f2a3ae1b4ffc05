"""What happened in a workspace, in one line each: the bell, and home's feed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, desc, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import utc_now
from app.core.db import Base, TenantScoped, after_commit, db
from app.core.sse import publish
from app.core.tenancy import current_tenant_id


class Activity(TenantScoped, Base):
    __tablename__ = "activities"
    __table_args__ = (Index("ix_activities_tenant_id_created_at", "tenant_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300))
    detail: Mapped[str] = mapped_column(String(500), default="")
    url: Mapped[str] = mapped_column(String(300), default="")
    is_failure: Mapped[bool] = mapped_column(default=False)
    user_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def record_activity(
    kind: str, title: str, detail: str = "", url: str = "", *, user_id: int | None = None, is_failure: bool = False
) -> None:
    """Add a line in the current unit of work; open pages hear of it after the commit."""
    tenant_id = current_tenant_id()
    row = Activity(
        kind=kind, title=title[:300], detail=detail[:500], url=url, user_id=user_id, is_failure=is_failure
    )  # fmt: skip
    db.session.add(row)
    data: dict[str, Any] = {"kind": kind, "title": row.title, "detail": row.detail, "url": url, "failed": is_failure}
    after_commit(lambda: publish("audience", "activity", data, tenant_id=tenant_id))


def list_activity(limit: int = 20, before_id: int | None = None, url: str = "") -> list[Activity]:
    """The newest lines of the acting tenant; with `url`, those about the page at that address."""
    statement = select(Activity).order_by(desc(Activity.id)).limit(limit)
    if url:
        statement = statement.where(Activity.url == url)
    if before_id is not None:
        statement = statement.where(Activity.id < before_id)
    return list(db.session.scalars(statement))


def count_since(moment: datetime | None) -> int:
    """How many lines are newer than `moment`, at most 99."""
    recent = select(Activity.id).limit(99)
    if moment is not None:
        recent = recent.where(Activity.created_at > moment)
    return db.session.scalar(select(func.count()).select_from(recent.subquery())) or 0
