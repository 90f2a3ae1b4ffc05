"""Carrying job rows to workers over RQ, and giving back what was lost on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job as RqJob
from rq.job import JobStatus
from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult

from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import db, unit_of_work
from app.core.jobs import BackgroundJob, JobState, registry
from app.core.logs import get_logger
from app.core.redis import get_redis

log = get_logger()
LOST_AFTER_LEASES = 3
ENDED = {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}


def dispatch(job_id: str, queue: str, attempt: int, timeout_seconds: int) -> None:
    """Hand a committed job to RQ. A Redis that is away is only logged: the sweep hands it over later."""
    try:
        _push(job_id, queue, attempt, timeout_seconds)
    except (RedisError, DuplicateJobError) as error:
        log.warning("job_not_dispatched", job_id=job_id, reason=str(error))


def _push(job_id: str, queue: str, attempt: int, timeout_seconds: int) -> None:
    RqQueue(queue, connection=get_redis()).enqueue(
        "app.worker.run_job",
        job_id,
        job_id=f"{job_id}-{attempt}",
        unique=True,
        job_timeout=timeout_seconds,
        result_ttl=0,
        failure_ttl=60,
    )


def recover_jobs() -> None:
    """Give back jobs whose worker died and hand over again jobs that Redis lost. Cost: live jobs only."""
    _release_dead()
    now = utc_now()
    lost_after = timedelta(seconds=LOST_AFTER_LEASES * get_settings().job_lease_seconds)
    waiting = db.session.scalars(
        select(BackgroundJob)
        .where(BackgroundJob.state == JobState.QUEUED, BackgroundJob.run_after <= now)
        .order_by(BackgroundJob.run_after)
        .limit(1000)
    ).all()
    rows = [(r.id, r.queue, r.attempts, r.name, r.run_after) for r in waiting]
    db.session.rollback()
    for job_id, queue, attempt, name, run_after in rows:
        if name in registry:
            timeout = registry[name].timeout_seconds
            _push_if_missing(job_id, queue, attempt, timeout, lost=now - run_after > lost_after)


def _push_if_missing(job_id: str, queue: str, attempt: int, timeout: int, *, lost: bool) -> None:
    try:
        _push(job_id, queue, attempt, timeout)
    except DuplicateJobError:
        if _is_stranded(f"{job_id}-{attempt}", queue, lost=lost):
            dispatch(job_id, queue, attempt, timeout)


def _is_stranded(rq_id: str, queue: str, *, lost: bool) -> bool:
    """Whether RQ knows the job but no worker will ever get it; if so RQ's copy is removed."""
    try:
        rq_job = RqJob.fetch(rq_id, connection=get_redis())
    except NoSuchJobError:
        return True
    status = rq_job.get_status()
    if status == JobStatus.QUEUED:
        is_dead = lost and RqQueue(queue, connection=get_redis()).get_job_position(rq_id) is None
    else:  # a worker may be about to claim the row; but a copy that ended without doing so never will
        is_dead = lost or status in ENDED
    if is_dead:
        rq_job.delete()
    return is_dead


def _release_dead() -> None:
    """Queue again every running job whose lease ran out; fail those that have used up their attempts."""
    from app.core.jobs_run import fail

    expired = utc_now() - timedelta(seconds=get_settings().job_lease_seconds)
    dead = db.session.execute(
        select(BackgroundJob.id, BackgroundJob.lease, BackgroundJob.attempts, BackgroundJob.max_attempts).where(
            BackgroundJob.state == JobState.RUNNING, BackgroundJob.heartbeat_at < expired
        )
    ).all()
    db.session.rollback()
    for job_id, lease, attempts, max_attempts in dead:
        log.warning("job_lost_its_worker", job_id=job_id, attempts=attempts)
        if attempts >= max_attempts:
            text = "The worker stopped in the middle of this work, more than once."
            fail(job_id, lease, text, unless_seen_since=expired)
            continue
        with unit_of_work():
            requeue(job_id, lease, unless_seen_since=expired)


def requeue(
    job_id: str,
    lease: str | None,
    *,
    delay_seconds: float = 0,
    error: str | None = None,
    is_counted: bool = True,
    unless_seen_since: datetime | None = None,
) -> bool:
    """Let a running job wait again; false when the lease is not its own any more or a heartbeat came since."""
    statement = update(BackgroundJob).where(
        BackgroundJob.id == job_id, BackgroundJob.lease == lease, BackgroundJob.state == JobState.RUNNING
    )
    if unless_seen_since is not None:
        statement = statement.where(BackgroundJob.heartbeat_at < unless_seen_since)
    if not is_counted:  # the attempt's number names RQ's copy, so it is the limit that moves
        statement = statement.values(max_attempts=BackgroundJob.max_attempts + 1)
    statement = statement.values(
        state=JobState.QUEUED, lease=None, error=error, run_after=utc_now() + timedelta(seconds=delay_seconds)
    ).execution_options(synchronize_session=False)
    return cast("CursorResult[object]", db.session.execute(statement)).rowcount == 1
