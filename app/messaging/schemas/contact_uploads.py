"""Uploads of contacts out, as the messaging contract shows them, and how far one is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from app.core.clock import iso
from app.messaging.models import ContactUpload, UploadState


class RowProblem(BaseModel):
    """A row that was refused: its number from 1 (the line of names not counted), the field, why, what it held."""

    row: int
    field: str
    message: str
    provided: Any


class UploadCounts(BaseModel):
    """`created` plus `updated` plus `errors` is `processed`; `validation_errors` are the first hundred."""

    processed: int
    created: int
    updated: int
    errors: int
    validation_errors: list[RowProblem]


class UploadDone(UploadCounts):
    message: str = Field(examples=["Bulk upload completed"])


class UploadStarted(BaseModel):
    """It goes on: ask for `/users/bulk/uploads/{upload_id}`."""

    message: str = Field(examples=["Bulk upload started"])
    job_id: str
    upload_id: int


class UploadOut(UploadCounts):
    """`progress` is the share of the file that was read, from 0 to 1; `error` says why a failed one stopped."""

    upload_id: int
    job_id: str | None
    filename: str
    state: UploadState
    progress: float
    error: str
    created_at: str
    finished_at: str | None


def counts_out(row: ContactUpload) -> dict[str, Any]:
    return {
        "processed": row.rows_done, "created": row.created_count, "updated": row.updated_count,
        "errors": row.error_count, "validation_errors": row.validation_errors,
    }  # fmt: skip


def upload_out(row: ContactUpload) -> dict[str, Any]:
    return counts_out(row) | {
        "upload_id": row.id, "job_id": row.job_id, "filename": row.filename, "state": row.state,
        "progress": round(min(1.0, row.bytes_done / row.size_bytes), 4) if row.size_bytes else 0.0,
        "error": row.error, "created_at": iso(row.created_at), "finished_at": iso(row.finished_at),
    }  # fmt: skip
