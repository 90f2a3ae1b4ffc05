"""Files of contacts: received, looked at, begun; what becomes of their rows is in `contact_uploads_run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, select

from app.accounts.services import audit
from app.cdp.services import imports_mapping, imports_reader
from app.cdp.services.identity_rules import Rules
from app.cdp.services.imports import Received
from app.cdp.services.imports_reader import Row
from app.core import storage
from app.core.activity import record_activity
from app.core.clock import utc_now
from app.core.config import get_settings
from app.core.db import after_commit, db, get_required
from app.core.errors import ValidationFailed
from app.core.jobs import enqueue
from app.core.tenancy import current_tenant_id
from app.messaging.models import ContactUpload, UploadState
from app.messaging.services import contact_rows
from app.messaging.services.contact_rows import PHONE, ContactRow
from app.messaging.services.contact_words import Refusal, refused, shown

FOLDER = "contacts"
FORMS = "a CSV with a first line of column names, JSON lines or a JSON list, in UTF-8"
LIVE = (UploadState.QUEUED, UploadState.RUNNING)
KEPT_DAYS = 30
MOST_ERRORS = 100
_NAMES = {PHONE: PHONE, "phone": PHONE, "consent_state": "consent_state"}


def receive(stream: IO[bytes], filename: str) -> Received:
    """Keep a file and look at its beginning, with no transaction open; refuses one that holds no contacts."""
    name = f"{uuid4().hex}.upload"
    try:
        size = storage.save(stream, FOLDER, name, get_settings().import_max_bytes)
        form, layout = _inspect(storage.path_of(FOLDER, name), filename)
    except BaseException:
        storage.remove(FOLDER, name)
        raise
    return Received(name, size, form, layout)


def _inspect(path: Path, filename: str) -> tuple[str, dict[str, Any]]:
    try:
        form, layout = imports_reader.inspect(path)
    except ValidationFailed as error:
        text = error.message.removeprefix("file: ")
        text = f"The file {text}" if text.startswith("is ") else text[:1].upper() + text[1:]
        raise refused("file", text, filename, FORMS) from None
    columns = layout.get("columns", [])
    if form == "csv" and PHONE not in _places(columns).values():
        raise refused("file", f"The file has no column {PHONE}", ", ".join(columns), f"a column {PHONE}")
    return form, {name: value for name, value in layout.items() if name != "sample"}


def _places(columns: list[str]) -> dict[str, str]:
    """Where each column goes, whatever the case of its name; `phone` is the number where no `phone_e164` is."""
    names = dict(_NAMES)
    if any(column.lower() == PHONE for column in columns):
        del names["phone"]
    return {column: names.get(column.lower(), f"traits.{column[:90]}") for column in columns if column}


def begin(filename: str, received: Received, *, user_id: int | None) -> ContactUpload:
    """An upload of a received file, taken in by a job after the commit."""
    row = ContactUpload(
        filename=(Path(filename).name or "file")[:200], stored_as=received.stored_as, form=received.form,
        layout=received.layout, size_bytes=received.size_bytes, user_id=user_id,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    job = enqueue(
        "messaging.upload_contacts", unique_key=f"messaging.upload_contacts:{row.id}",
        label=f"Contacts {row.filename}", url=f"/app/contacts/upload/{row.id}", upload_id=row.id,
    )  # fmt: skip
    row.job_id = job.id
    audit.record("contacts.uploaded", row, label=row.filename, after={"bytes": row.size_bytes})
    return row


def get_upload(upload_id: int, *, for_update: bool = False) -> ContactUpload:
    return get_required(ContactUpload, upload_id, for_update=for_update, label="Upload")


def list_uploads() -> Select[Any]:
    """Newest first, as a statement to page."""
    return select(ContactUpload).order_by(ContactUpload.id.desc())


def path_of(row: ContactUpload) -> Path:
    return storage.path_of(FOLDER, row.stored_as)


def cleaner(row: ContactUpload, rules: Rules, now: datetime) -> Callable[[Row], ContactRow]:
    """A function from a row of the file to a contact; raises Refusal."""
    read = _read_table(row.layout["columns"]) if row.form == "csv" else _read_object

    def clean(one: Row) -> ContactRow:
        if one.problem or one.values is None:
            raise Refusal("", one.problem, None, FORMS)
        return contact_rows.clean(read(one.values), rules, now, is_file=True)

    return clean


def _read_table(columns: list[str]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    places = _places(columns)
    own = {place: column for column, place in places.items() if place in (PHONE, "consent_state")}
    apply = imports_mapping.applied(
        {column: place for column, place in places.items() if place not in own}, reads_numbers=True
    )

    def read(values: Mapping[str, Any]) -> dict[str, Any]:
        attributes = apply(dict(values)).get("traits")
        return {"attributes": attributes} | {place: values.get(column) for place, column in own.items()}

    return read


def _read_object(values: Mapping[str, Any]) -> dict[str, Any]:
    """As the API takes one, or with the attributes beside the number; both together are taken too."""
    given = values.get("attributes")
    if given is not None and not isinstance(given, dict):
        return dict(values)  # refused with its reason
    own = {place: values[name] for name, place in _NAMES.items() if name in values}
    loose = {name: value for name, value in values.items() if name not in _NAMES and name != "attributes"}
    own[PHONE] = values.get(PHONE, values.get("phone"))
    return own | {"attributes": loose | (given or {})}


def problem(row_number: int, error: Refusal) -> dict[str, Any]:
    """A refused row as its sender hears of it."""
    return {"row": row_number, "field": error.field, "message": str(error), "provided": shown(error.provided)}


def finish(upload_id: int) -> None:
    """Note the end; the file goes once that is committed, so that a run that stops here can be done again."""
    row = get_upload(upload_id, for_update=True)
    if row.state == UploadState.RUNNING:
        row.state, row.finished_at, row.bytes_done = UploadState.DONE, utc_now(), row.size_bytes
        _remove_file(row)
        told = f"{row.created_count:,} new, {row.updated_count:,} known, {row.error_count:,} refused."
        record_activity("upload", f"Contacts of {row.filename} are in", told, page_of(row), user_id=row.user_id)


def fail(upload_id: int, error: str) -> None:
    """Note why it did not come to its end; what is in stays."""
    row = get_upload(upload_id, for_update=True)
    row.state, row.error, row.finished_at = UploadState.FAILED, error[:500], utc_now()
    _remove_file(row)
    record_activity("upload", f"Contacts of {row.filename} stopped", row.error, page_of(row), user_id=row.user_id,
                    is_failure=True)  # fmt: skip


def _remove_file(row: ContactUpload) -> None:
    name = row.stored_as
    after_commit(lambda: storage.remove(FOLDER, name))


def page_of(row: ContactUpload) -> str:
    return f"/app/contacts/upload/{row.id}"


def list_due_tenants() -> list[int]:
    """Workspaces with refused rows that were kept long enough, across all of them."""
    rows = ContactUpload.__table__
    return list(db.session.scalars(select(rows.c.tenant_id).where(_is_due()).distinct()))


def purge() -> int:
    """Forget what refused rows of old uploads held: it may be somebody's. The figures stay. Returns how many."""
    statement = select(ContactUpload).where(_is_due(), ContactUpload.tenant_id == current_tenant_id())
    due = list(db.session.scalars(statement))
    for row in due:
        _remove_file(row)  # should a worker have been killed between the last commit and that
        row.validation_errors, row.layout = [], {}
    db.session.flush()
    return len(due)


def _is_due() -> ColumnElement[bool]:
    rows: Any = ContactUpload.__table__.c
    return (rows.finished_at < utc_now() - timedelta(days=KEPT_DAYS)) & (rows.layout != {})
