"""Making audiences and reports in the background."""

from __future__ import annotations

from app.core.jobs import Queue, job
from app.core.jobs_run import progress
from app.insights.services import pipeline, reports


def _audience_failed(*, error: str, audience_id: int) -> None:
    pipeline.fail(audience_id, error)


@job("insights.generate_audience", queue=Queue.AI, max_attempts=5, timeout=1800, on_failure=_audience_failed)
def generate_audience(audience_id: int) -> None:
    """Take an audience through the steps it has not done yet."""
    pipeline.run(audience_id, progress)


def _report_failed(*, error: str, report_id: int) -> None:
    reports.fail(report_id, error)


@job("insights.generate_report", queue=Queue.AI, max_attempts=3, timeout=1800, on_failure=_report_failed)
def generate_report(report_id: int) -> None:
    """Write one report."""
    reports.write(report_id)
