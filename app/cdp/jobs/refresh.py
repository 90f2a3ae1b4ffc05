"""Refreshing segments in the background."""

from __future__ import annotations

from app.cdp.services import refresh
from app.core.jobs import Queue, job


@job("cdp.refresh", queue=Queue.DEFAULT, max_attempts=5, timeout=1800)
def refresh_all() -> None:
    """Bring the tenant's segments up to date with what was folded."""
    refresh.refresh_all()


@job("cdp.refresh_segment", queue=Queue.DEFAULT, max_attempts=5, timeout=600)
def refresh_segment(segment_id: int) -> None:
    """Count one segment from the start."""
    refresh.refresh_segment(segment_id)
