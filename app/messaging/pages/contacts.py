"""Contacts' part of profiles: a file of them taken in, and what a person was sent and wrote."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, make_response, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from app.accounts.guards import current_user, require_permission
from app.cdp.services import profiles
from app.core.config import get_settings
from app.core.db import unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to, is_htmx
from app.core.http import takes_upload
from app.core.paging import paginate
from app.core.security import check_upload_token
from app.messaging.models import ContactUpload
from app.messaging.pages import contact_view
from app.messaging.services import contact_uploads

bp = Blueprint("contact_pages", __name__, url_prefix="/app/contacts/upload")
of_person = Blueprint("person_message_pages", __name__, url_prefix="/app/profiles/<int:profile_id>/messages")
RECENT = 10
MEGABYTE = 1024 * 1024


@bp.get("")
@require_permission("messaging.read")
def new() -> str:
    """The form, and the last uploads."""
    return _form({})


def _form(errors: dict[str, str]) -> str:
    rows = paginate(contact_uploads.list_uploads(), 1, RECENT).items
    return render_template(
        "messaging/contact_upload_new.html", errors=errors, most=_most(), rows=rows,
        states=contact_view.UPLOAD_STATES,
    )  # fmt: skip


def _most() -> int:
    """Megabytes a file may have."""
    return get_settings().import_max_bytes // MEGABYTE


@bp.post("")
@takes_upload(lambda: get_settings().import_max_bytes)
@require_permission("messaging.write")
def upload() -> Response:
    """Keep the file and take it in, in the background."""
    try:
        check_upload_token()
        upload_id = _receive()
    except RequestEntityTooLarge:
        text = f"The file is larger than {_most()} MB. Split it and upload the parts."
        return make_response(_form({"file": text}), 413)
    except AppError as error:
        text = error.message.removeprefix("file: ")
        return make_response(_form({"file": text[:1].upper() + text[1:]}), error.status)
    return go_to(url_for(".show", upload_id=upload_id))


def _receive() -> int:
    file = request.files.get("file")
    if file is None or not file.filename or "\0" in file.filename:
        raise ValidationFailed("Choose a file.", field="file")
    received = contact_uploads.receive(file.stream, file.filename)
    with unit_of_work():
        return contact_uploads.begin(file.filename, received, user_id=current_user().id).id


@bp.get("/<int:upload_id>")
@require_permission("messaging.read")
def show(upload_id: int) -> str:
    row = contact_uploads.get_upload(upload_id)
    return render_template("messaging/contact_upload.html", row=row, **_state(row))


@bp.get("/<int:upload_id>/live")
@require_permission("messaging.read")
def live(upload_id: int) -> str:
    """How far it is, for the page that shows it."""
    row = contact_uploads.get_upload(upload_id)
    return render_template("messaging/_contact_upload.html", row=row, **_state(row))


def _state(row: ContactUpload) -> dict[str, Any]:
    return {
        "states": contact_view.UPLOAD_STATES, "is_live": row.state in contact_uploads.LIVE,
        "most_errors": contact_uploads.MOST_ERRORS, "kept_days": contact_uploads.KEPT_DAYS,
        "share": min(1.0, row.bytes_done / row.size_bytes) if row.size_bytes else 0.0,
    }  # fmt: skip


@bp.get("/<int:upload_id>/errors.csv")
@require_permission("messaging.read")
def errors(upload_id: int) -> Response:
    """Refused rows with the reasons, to be mended."""
    row = contact_uploads.get_upload(upload_id)
    response = make_response(contact_view.errors_csv(row))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="contacts-{row.id}-refused.csv"'
    return response


@of_person.get("")
@require_permission("messaging.read")
def messages(profile_id: int) -> str:
    """A part of the person's page, or a page of its own: what they were sent, how it went, and what they wrote."""
    person = profiles.get_profile(profile_id)
    name = "_person_messages.html" if is_htmx() else "person_messages.html"
    lines = contact_view.lines_of(person.id)
    return render_template(f"messaging/{name}", person=person, lines=lines, most=contact_view.MOST_SHOWN)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.register_blueprint(of_person)
