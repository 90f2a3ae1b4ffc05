"""Background work: one row a job is the truth, RQ only carries its id to a worker.

`enqueue` writes the row in the caller's unit of work and hands it to RQ after the commit. A worker
claims the row under a lease that a heartbeat renews; a sweep gives back what a dead worker held and
hands over again what Redis lost. A job may therefore run more than once: it resumes, it never repeats.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import ForeignKey, Index, String, Text, bindparam, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.core import tenancy
from app.core.clock import utc_now
from app.core.db import Base, Json, after_commit, db
from app.core.redis import get_redis


class Queue(StrEnum):
    """By urgency; each is served by a worker of the Procfile."""

    CRITICAL = "critical"
    AI = "ai"
    DEFAULT = "default"
    BULK = "bulk"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (JobState.QUEUED, JobState.RUNNING)


class BackgroundJob(Base):
    """One piece of background work and how far it is. Filtered by hand: the sweep reads across tenants."""

    __tablename__ = "background_jobs"
    __table_args__ = (
        Index("ix_background_jobs_state_run_after", "state", "run_after"),
        Index("ix_background_jobs_tenant_id_created_at", "tenant_id", "created_at"),
        Index(
            "uq_background_jobs_live_unique_key",
            "unique_key",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running')"),
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=lambda: uuid4().hex)
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    queue: Mapped[str] = mapped_column(String(20))
    arguments: Mapped[dict[str, Any]] = mapped_column(Json)
    unique_key: Mapped[str | None] = mapped_column(String(200))
    label: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[str] = mapped_column(String(12), default=JobState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    lease: Mapped[str | None] = mapped_column(String(32))
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    progress_note: Mapped[str] = mapped_column(String(300), default="")
    error: Mapped[str | None] = mapped_column(Text)
    user_id: Mapped[int | None]
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    run_after: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


_LIVE_OF_KEY = select(BackgroundJob).where(BackgroundJob.unique_key == bindparam("key"), BackgroundJob.state.in_(LIVE))


@dataclass(frozen=True)
class JobDefinition:
    name: str
    function: Callable[..., Any]
    queue: Queue
    max_attempts: int
    timeout_seconds: int
    on_failure: Callable[..., None] | None


registry: dict[str, JobDefinition] = {}


def job(
    name: str,
    *,
    queue: Queue = Queue.DEFAULT,
    max_attempts: int = 3,
    timeout: int = 600,
    on_failure: Callable[..., None] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a job by name. It takes keyword ids only and must be safe to run again.

    `on_failure(error=text, **arguments)` is called once, in a unit of work, when the last attempt failed.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        registry[name] = JobDefinition(name, function, queue, max_attempts, timeout, on_failure)
        return function

    return register


_user_id: ContextVar[int | None] = ContextVar("job_user_id", default=None)
_request_id: ContextVar[str | None] = ContextVar("job_request_id", default=None)


def set_origin(user_id: int | None, request_id: str | None) -> None:
    """Remember who and which request enqueue work from here on (once per request)."""
    _user_id.set(user_id)
    _request_id.set(request_id)


def enqueue(
    name: str, *, unique_key: str | None = None, label: str = "", url: str = "", **arguments: Any
) -> BackgroundJob:
    """Ask for work in the current unit of work; it leaves for a worker after the commit.

    With `unique_key`, a live job of the same tenant and key is returned instead of a second one.
    """
    definition = registry[name]
    tenant_id = tenancy.bound_tenant_id()
    tenant_id = None if tenant_id in (None, tenancy.PLATFORM) else tenant_id
    key = f"{tenant_id}:{unique_key}" if unique_key else None
    row = _find_live(key)
    if row is not None:
        return row
    row = BackgroundJob(
        tenant_id=tenant_id, name=name, queue=definition.queue, arguments=arguments, unique_key=key, label=label[:200],
        url=url, max_attempts=definition.max_attempts, user_id=_user_id.get(), request_id=_request_id.get(),
    )  # fmt: skip
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        existing = _find_live(key)
        if existing is None:
            raise
        return existing
    from app.core.jobs_transport import dispatch

    job_id = row.id  # the row itself may be expired or detached by the time it leaves
    after_commit(lambda: dispatch(job_id, definition.queue, 0, definition.timeout_seconds))
    return row


def _find_live(key: str | None) -> BackgroundJob | None:
    if key is None:
        return None
    return db.session.scalars(_LIVE_OF_KEY, {"key": key}).one_or_none()


def find_job(job_id: str) -> BackgroundJob | None:
    """The acting tenant's job with this id, or None."""
    statement = select(BackgroundJob).where(
        BackgroundJob.id == job_id, BackgroundJob.tenant_id == tenancy.current_tenant_id()
    )
    return db.session.scalars(statement).one_or_none()


def list_live_jobs(limit: int = 20) -> list[BackgroundJob]:
    """What is queued or running for the acting tenant, oldest first; chat answers are left out."""
    statement = (
        select(BackgroundJob)
        .where(
            BackgroundJob.tenant_id == tenancy.current_tenant_id(),
            BackgroundJob.state.in_(LIVE),
            BackgroundJob.label != "",
        )
        .order_by(BackgroundJob.created_at)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def request_cancel(job_id: str) -> None:
    """Ask a running job to stop; it sees this at its next `cancel_requested()`."""
    get_redis().set(f"job:{job_id}:cancel", 1, ex=3600)


@dataclass(frozen=True)
class RunningJob:
    """What a worker holds while it runs a row: plain values, good after the session they came from is gone."""

    id: str
    name: str
    lease: str
    tenant_id: int | None
    user_id: int | None
    queue: str = Queue.DEFAULT
    attempts: int = 0
    max_attempts: int = 1
    arguments: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None

    @classmethod
    def of(cls, row: BackgroundJob) -> RunningJob:
        return cls(
            row.id, row.name, row.lease or "", row.tenant_id, row.user_id, row.queue, row.attempts, row.max_attempts,
            dict(row.arguments), row.request_id,
        )  # fmt: skip


running: ContextVar[RunningJob | None] = ContextVar("running_job", default=None)


class LeaseLost(RuntimeError):
    """Another worker took this job over: stop without touching anything."""


class WorkerStopping(RuntimeError):
    """This worker was asked to stop: the job is given back between two steps and goes on elsewhere."""


worker_stopping = threading.Event()


def current_job() -> RunningJob | None:
    return running.get()


def cancel_requested() -> bool:
    """Whether somebody asked this job to stop (false outside a job). One Redis round trip."""
    job_now = running.get()
    return bool(job_now and get_redis().exists(f"job:{job_now.id}:cancel"))
