"""`/messaging/api/v1/users/bulk`: files of users, taken in by a job that most calls can wait for."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from app.accounts.guards import current_caller, require_permission
from app.core.config import get_settings
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.errors import AppError, UnsupportedMediaType
from app.core.http import takes_upload
from app.core.jobs import LIVE
from app.core.jobs_wait import wait_for
from app.core.storage import too_large
from app.messaging.models import UploadState
from app.messaging.schemas.contact_uploads import UploadDone, UploadOut, UploadStarted, counts_out, upload_out
from app.messaging.services import contact_uploads
from app.messaging.services.contact_words import refused

bp = Blueprint("messaging_uploads_api", __name__, url_prefix="/messaging/api/v1/users/bulk")
TAG = "Users"
WAIT_SECONDS = 25.0
FORM = "multipart/form-data"


class UploadStopped(AppError):
    """The file was fine at its beginning and did not come to its end; what is in stays."""

    status, code = 422, "upload_failed"


@bp.post("/upload")
@takes_upload(lambda: get_settings().import_max_bytes)
@describe("Upload users", TAG, answers={200: UploadDone, 202: UploadStarted}, errors=(400, 413, 415, 422, 503))
@require_permission("messaging.write")
def upload() -> Response:
    """multipart/form-data with `file`: CSV (`phone_e164`, `consent_state`, other columns are attributes) or JSON.

    The finished upload when it is done within 25 s, else 202. Numbers that are known are updated. An OPT_IN in a
    file never lifts an OPT_OUT or STOP.
    """
    if request.mimetype != FORM:
        raise UnsupportedMediaType(f"Send the file as {FORM}.", field="file", provided=request.mimetype, expected=FORM)
    file = _file()
    if file is None or not file.filename or "\0" in file.filename:
        raise refused("file", "A file is needed", None, contact_uploads.FORMS)
    received = contact_uploads.receive(file.stream, file.filename)
    user = current_caller().user
    with unit_of_work():
        row = contact_uploads.begin(file.filename, received, user_id=user.id if user else None)
        upload_id, job_id = row.id, str(row.job_id)
    if wait_for(job_id, WAIT_SECONDS) in LIVE:
        return make_response(jsonify(message="Bulk upload started", job_id=job_id, upload_id=upload_id), 202)
    return _finished(upload_id)


def _file() -> FileStorage | None:
    try:
        return request.files.get("file")
    except RequestEntityTooLarge:
        raise too_large(get_settings().import_max_bytes, request.content_length) from None


def _finished(upload_id: int) -> Response:
    row = contact_uploads.get_upload(upload_id)
    if row.state == UploadState.FAILED:
        failure = AppError(
            f"The upload stopped: {row.error}", code="upload_failed", upload_id=row.id, **counts_out(row)
        )
        failure.status = 422
        raise failure
    return jsonify(counts_out(row) | {"message": "Bulk upload completed"})


@bp.get("/uploads/<int:upload_id>")
@describe("How far an upload is", TAG, answers={200: UploadOut}, errors=(404,))
@require_permission("messaging.read")
def show(upload_id: int) -> Response:
    return jsonify(upload_out(contact_uploads.get_upload(upload_id)))
