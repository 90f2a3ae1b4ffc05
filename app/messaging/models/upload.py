"""A file of contacts on its way in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, TenantScoped, Timestamps


class UploadState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ContactUpload(TenantScoped, Timestamps, Base):
    """`position` is where the next row begins, `rows_done` the rows before it: a run that stopped goes on there.

    It is bytes for CSV and JSON lines, rows for a JSON list; `bytes_done` is bytes always, for people who wait.
    """

    __tablename__ = "contact_uploads"

    id: Mapped[int] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(String(200), default="")
    stored_as: Mapped[str] = mapped_column(String(40), default="")
    form: Mapped[str] = mapped_column(String(8))
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    size_bytes: Mapped[int] = mapped_column(BigId, default=0)
    position: Mapped[int] = mapped_column(BigId, default=0)
    bytes_done: Mapped[int] = mapped_column(BigId, default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    created_count: Mapped[int] = mapped_column(default=0)
    updated_count: Mapped[int] = mapped_column(default=0)
    error_count: Mapped[int] = mapped_column(default=0)
    validation_errors: Mapped[list[Any]] = mapped_column(default=list)  # the first hundred
    state: Mapped[str] = mapped_column(String(10), default=UploadState.QUEUED)
    error: Mapped[str] = mapped_column(Text, default="")
    job_id: Mapped[str | None] = mapped_column(String(32))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    finished_at: Mapped[datetime | None]
