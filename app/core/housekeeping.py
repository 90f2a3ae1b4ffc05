"""Periodic work of the kernel itself."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.events import relay_outbox
from app.core.jobs import BackgroundJob, JobState
from app.core.jobs_transport import recover_jobs
from app.core.schedule import periodic

KEPT = timedelta(days=14)


@periodic("core.recover_jobs", every_seconds=3)
def recover() -> None:
    """Give back jobs of dead workers; hand over again what Redis lost."""
    recover_jobs()


@periodic("core.relay_outbox", every_seconds=5)
def relay() -> None:
    """Deliver events that a crash kept from leaving."""
    relay_outbox()


@periodic("core.purge_jobs", every_seconds=3600)
def purge() -> None:
    """Forget jobs that ended two weeks ago."""
    with unit_of_work():
        db.session.execute(
            delete(BackgroundJob)
            .where(
                BackgroundJob.state.in_((JobState.DONE, JobState.FAILED, JobState.CANCELLED)),
                BackgroundJob.finished_at < utc_now() - KEPT,
            )
            .execution_options(synchronize_session=False)
        )
