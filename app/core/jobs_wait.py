"""Waiting for a background job from a request, without holding a database connection."""

from __future__ import annotations

import time

from sqlalchemy import select

from app.core.db import db, release_connection
from app.core.jobs import LIVE, BackgroundJob

PAUSE_SECONDS = 0.08


def wait_for(job_id: str, seconds: float) -> str:
    """The job's state once it is over, or its live state when `seconds` have passed.

    Rows loaded before are detached by this: load them again afterwards.
    """
    deadline = time.monotonic() + seconds
    while True:
        state = db.session.scalar(select(BackgroundJob.state).where(BackgroundJob.id == job_id)) or "gone"
        release_connection()
        if state not in LIVE or time.monotonic() >= deadline:
            return state
        time.sleep(PAUSE_SECONDS)
