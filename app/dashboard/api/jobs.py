"""How far a background job is, for programs that started one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, jsonify
from pydantic import BaseModel

from app.accounts.guards import require_permission
from app.core.clock import iso
from app.core.describe import describe
from app.core.errors import NotFound
from app.core.jobs import BackgroundJob, JobState, find_job

bp = Blueprint("jobs_api", __name__, url_prefix="/api/v1/jobs")


class ProgressOut(BaseModel):
    """Steps done of all there are; a total of 0 means that it is not known yet."""

    done: int
    total: int
    note: str


class JobOut(BaseModel):
    id: str
    name: str
    state: JobState
    progress: ProgressOut
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@bp.get("/<job_id>")
@describe("State and progress of a background job", "Jobs", answers={200: JobOut}, errors=(404,))
@require_permission("jobs.read")
def get_job(job_id: str) -> Response:
    job = find_job(job_id)
    if job is None:
        raise NotFound("There is no such job.")
    return jsonify(_show(job))


def _show(job: BackgroundJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "progress": {"done": job.progress_done, "total": job.progress_total, "note": job.progress_note},
        "error": job.error,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "finished_at": iso(job.finished_at),
    }


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
