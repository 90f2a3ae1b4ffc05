"""A file of people or events on its way in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, TenantScoped, Timestamps


class ImportKind(StrEnum):
    PEOPLE = "people"
    EVENTS = "events"


class ImportState(StrEnum):
    UPLOADED = "uploaded"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DataImport(TenantScoped, Timestamps, Base):
    """`position` is where the next row begins, written with the rows before it, so a job that stopped goes on there.

    Bytes of the file for CSV and JSON lines, rows for a JSON list. `rejected_bytes` is how long the file of refused
    rows was at that point: what stands after it is written again.
    """

    __tablename__ = "data_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    filename: Mapped[str] = mapped_column(String(200))
    stored_as: Mapped[str] = mapped_column(String(40))
    form: Mapped[str] = mapped_column(String(10))  # csv, lines or list
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)  # encoding, delimiter, columns, first rows
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(12), default=ImportState.UPLOADED)
    size_bytes: Mapped[int] = mapped_column(BigId)
    position: Mapped[int] = mapped_column(BigId, default=0)
    bytes_done: Mapped[int] = mapped_column(BigId, default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    rejected_bytes: Mapped[int] = mapped_column(BigId, default=0)
    error: Mapped[str] = mapped_column(String(500), default="")
    job_id: Mapped[str] = mapped_column(String(32), default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
