"""Running a job in a worker: claim, heartbeat, progress, outcome."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from flask import Flask, current_app
from rq.timeouts import JobTimeoutException
from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult

from app.core import logs, tenancy
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.errors import AppError, ProviderFailed, Unavailable
from app.core.jobs import (
    BackgroundJob,
    JobState,
    LeaseLost,
    RunningJob,
    WorkerStopping,
    registry,
    running,
    set_origin,
    worker_stopping,
)
from app.core.jobs_transport import dispatch, requeue
from app.core.sse import publish

log = logs.get_logger()


def execute(job_id: str) -> None:
    """Run one job row to its outcome. Does nothing when another worker holds it or it is over."""
    now = _claim(job_id)
    if now is None:
        return
    logs.bind(job_id=now.id, job=now.name, tenant_id=now.tenant_id, request_id=now.request_id)
    set_origin(now.user_id, now.request_id)
    token = running.set(now)
    try:
        with _scope(now.tenant_id), _heartbeat(now):
            _run(now)
    finally:
        running.reset(token)
        set_origin(None, None)
        logs.clear()


def _scope(tenant_id: int | None) -> AbstractContextManager[None]:
    return tenancy.tenant_scope(tenant_id) if tenant_id else tenancy.platform_scope()


def _claim(job_id: str) -> RunningJob | None:
    """Take the row if it waits: two workers with the same id cannot both get it."""
    lease = uuid4().hex
    with unit_of_work():
        now = utc_now()
        statement = (
            update(BackgroundJob)
            .where(BackgroundJob.id == job_id, BackgroundJob.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                lease=lease,
                attempts=BackgroundJob.attempts + 1,
                heartbeat_at=now,
                started_at=now,
            )
            .execution_options(synchronize_session=False)
        )
        if cast("CursorResult[object]", db.session.execute(statement)).rowcount != 1:
            return None
        row = db.session.scalars(
            select(BackgroundJob).where(BackgroundJob.id == job_id).execution_options(populate_existing=True)
        ).one()
        return RunningJob.of(row)


def _run(now: RunningJob) -> None:
    _announce(now, JobState.RUNNING)
    try:
        registry[now.name].function(**now.arguments)
    except LeaseLost:
        db.session.rollback()
        log.warning("job_taken_over")
    except WorkerStopping:
        _give_back(now)
    except (SystemExit, KeyboardInterrupt):
        _give_back(now)
        raise
    except Exception as error:  # RQ's time limit among them
        db.session.rollback()
        _handle_failure(now, error)
    else:
        _finish(now, JobState.DONE)


def _give_back(now: RunningJob) -> None:
    """The worker stops, the job does not: it waits for the next worker, and the attempt does not count."""
    db.session.rollback()
    with unit_of_work():
        given_back = requeue(now.id, now.lease, is_counted=False)
    if given_back:
        log.info("job_given_back")
        dispatch(now.id, now.queue, now.attempts, _timeout_of(now.name))


def _timeout_of(name: str) -> int:
    return registry[name].timeout_seconds if name in registry else 600


def _handle_failure(now: RunningJob, error: BaseException) -> None:
    message = error.message if isinstance(error, AppError) else "Something unexpected went wrong."
    if isinstance(error, JobTimeoutException):
        message = "The work took longer than it may."
    final = isinstance(error, AppError) and not isinstance(error, Unavailable)
    if isinstance(error, ProviderFailed):
        final = not error.retryable
    log.error("job_failed", attempt=now.attempts, final=final, exc_info=error)
    if final or now.attempts >= now.max_attempts:
        fail(now.id, now.lease, message)
        return
    delay = min(60.0, 2.0 ** (now.attempts - 1)) * random.uniform(0.8, 1.2)
    with unit_of_work():
        given_back = requeue(now.id, now.lease, delay_seconds=delay, error=message)
    if given_back and delay < 1.5:
        dispatch(now.id, now.queue, now.attempts, _timeout_of(now.name))


def fail(job_id: str, lease: str | None, message: str, *, unless_seen_since: datetime | None = None) -> None:
    """Mark a job failed and let its feature say so in its own rows, in one unit of work.

    A feature that cannot say so does not keep the job alive: it fails all the same. Nothing happens when the
    lease is not the row's any more, or when a heartbeat came after `unless_seen_since`.
    """
    try:
        failed = _fail(job_id, lease, message, unless_seen_since, tell_feature=True)
    except Exception as error:
        log.error("on_failure_failed", job_id=job_id, exc_info=error)
        failed = _fail(job_id, lease, message, unless_seen_since, tell_feature=False)
    if failed is not None:
        _announce(failed, JobState.FAILED)


def _fail(
    job_id: str, lease: str | None, message: str, unless_seen_since: datetime | None, *, tell_feature: bool
) -> RunningJob | None:
    with unit_of_work():
        row = db.session.scalars(
            select(BackgroundJob)
            .where(BackgroundJob.id == job_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if row is None or row.lease != lease or row.state != JobState.RUNNING:
            return None
        if unless_seen_since and row.heartbeat_at and row.heartbeat_at >= unless_seen_since:
            return None
        row.state, row.error, row.finished_at = JobState.FAILED, message, utc_now()
        failed = RunningJob.of(row)
        on_failure = registry[row.name].on_failure if row.name in registry else None
        if tell_feature and on_failure is not None:
            with _scope(row.tenant_id):
                on_failure(error=message, **failed.arguments)
                db.session.flush()
    return failed


def _finish(now: RunningJob, state: JobState) -> None:
    with unit_of_work():
        is_ours = _update_own(now, state=state, finished_at=utc_now(), error=None)
    if is_ours:
        _announce(now, state)
    else:
        log.warning("job_taken_over")


def progress(done: int, total: int, note: str = "") -> None:
    """Record and publish how far the running job is.

    Raises LeaseLost when another worker took the job over, WorkerStopping when this one was asked to stop.
    """
    now = running.get()
    if now is None:
        return
    with unit_of_work():
        if not _update_own(now, progress_done=done, progress_total=total, progress_note=note, heartbeat_at=utc_now()):
            raise LeaseLost
    _announce(now, JobState.RUNNING, done, total, note)
    if worker_stopping.is_set() and done < total:
        raise WorkerStopping


def _update_own(now: RunningJob, **values: Any) -> bool:
    statement = (
        update(BackgroundJob)
        .where(BackgroundJob.id == now.id, BackgroundJob.lease == now.lease, BackgroundJob.state == JobState.RUNNING)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[object]", db.session.execute(statement)).rowcount == 1


def _announce(now: RunningJob, state: JobState, done: int = 0, total: int = 0, note: str = "") -> None:
    if now.tenant_id is None:
        return
    data = {"job_id": now.id, "name": now.name, "state": state, "done": done, "total": total, "note": note}
    publish("audience", "job_progress", data, tenant_id=now.tenant_id)


@contextmanager
def _heartbeat(now: RunningJob) -> Iterator[None]:
    """Renew the lease from a thread while the block runs."""
    stop = threading.Event()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_beat, args=(app, now, stop), name="job-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _beat(app: Flask, now: RunningJob, stop: threading.Event) -> None:
    while not stop.wait(get_settings().job_heartbeat_seconds):
        with app.app_context():
            try:
                with unit_of_work():
                    if not _update_own(now, heartbeat_at=utc_now()):
                        return
            except Exception as error:  # a missed beat is made good by the next one
                log.warning("heartbeat_missed", job_id=now.id, reason=str(error))
