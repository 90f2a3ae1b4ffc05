"""Pages of imports: list, upload, mapping, trial, progress, what was refused."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, flash, make_response, render_template, request, send_file, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from app.accounts.guards import current_user, require_permission
from app.cdp.models import DataImport, ImportKind, ImportState
from app.cdp.pages import import_view
from app.cdp.services import imports, imports_purge
from app.core.config import get_settings
from app.core.db import unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to, is_htmx
from app.core.http import int_argument, takes_upload
from app.core.paging import paginate
from app.core.security import check_upload_token

bp = Blueprint("import_pages", __name__, url_prefix="/app/imports")
PAGE = 20
MEGABYTE = 1024 * 1024


@bp.get("")
@require_permission("cdp.read")
def index() -> str:
    """The newest first; the list is asked for again while something runs."""
    number = int_argument("page", 1, high=10_000) or 1
    page = paginate(imports.list_imports(), number, PAGE)
    return render_template(
        "customers/_imports.html" if is_htmx() else "customers/imports.html", rows=page.items, page=number,
        pages=max(1, page.pages), total=page.total, states=import_view.STATES, kinds=import_view.KINDS,
    )  # fmt: skip


@bp.get("/new")
@require_permission("cdp.write")
def new() -> str:
    return _upload_page({})


def _upload_page(errors: dict[str, str], kind: str = ImportKind.PEOPLE) -> str:
    return render_template("customers/import_new.html", errors=errors, kind=kind, most=_most())


def _most() -> int:
    """Megabytes a file may have."""
    return get_settings().import_max_bytes // MEGABYTE


@bp.post("/new")
@takes_upload(lambda: get_settings().import_max_bytes)
@require_permission("cdp.write")
def upload() -> Response:
    """Keep the file and go on to its columns; nothing is taken in yet."""
    kind = ImportKind.PEOPLE.value
    try:
        check_upload_token()
        kind = request.form.get("kind", kind)
        import_id = _receive(kind)
    except RequestEntityTooLarge:
        most = get_settings().import_max_bytes // MEGABYTE
        return make_response(
            _upload_page({"file": f"The file is larger than {most} MB. Split it and import the parts."}), 413
        )
    except AppError as error:
        text = error.message.removeprefix("file: ")
        told = f"The file {text}" if text.startswith("is ") else text[:1].upper() + text[1:]
        return make_response(_upload_page({"file": told}, kind), error.status)
    return go_to(url_for(".show", import_id=import_id))


def _receive(kind: str) -> int:
    file = request.files.get("file")
    if file is None or not file.filename or "\0" in file.filename or kind not in set(ImportKind):
        raise ValidationFailed("Choose a file.", field="file")
    received = imports.receive(file.stream)
    with unit_of_work():
        return imports.create(kind, file.filename, received, user_id=current_user().id).id


@bp.get("/<int:import_id>")
@require_permission("cdp.read")
def show(import_id: int) -> str:
    """Its columns while nothing is taken in, else how far it is."""
    row = imports.get_import(import_id)
    return _page(row, imports.suggested(row), is_as_sent=import_view.is_as_sent(row))


def _page(row: DataImport, mapping: dict[str, str], **context: Any) -> str:
    return render_template(
        "customers/import.html", row=row, columns=import_view.columns_of(row, mapping), named=import_view.NAMED,
        places=import_view.places_of(row), channels=import_view.CHANNELS, **_state(row), **context,
    )  # fmt: skip


def _state(row: DataImport) -> dict[str, Any]:
    return {
        "states": import_view.STATES, "kinds": import_view.KINDS, "forms": import_view.FORMS,
        "is_live": import_view.is_live(row), "progress": import_view.progress_of(row),
        "kept_days": imports_purge.KEPT_DAYS,
    }  # fmt: skip


@bp.get("/<int:import_id>/live")
@require_permission("cdp.read")
def live(import_id: int) -> str:
    row = imports.get_import(import_id)
    return render_template("customers/_import_state.html", row=row, **_state(row))


@bp.post("/<int:import_id>/try")
@require_permission("cdp.write")
def try_out(import_id: int) -> Response:
    """What the first rows would do; nothing is written."""
    row = imports.get_import(import_id)
    mapping, is_as_sent = import_view.mapping_from(row, request.form), bool(request.form.get("as_sent"))
    context: dict[str, Any] = {"trial": None, "problem": ""}
    try:
        context["trial"] = imports.try_out(import_id, mapping)
    except AppError as error:
        context["problem"] = _sentence(error)
    if is_htmx():
        return make_response(
            render_template("customers/_trial.html", row=row, channels=import_view.CHANNELS, **context)
        )
    return make_response(_page(row, mapping, is_as_sent=is_as_sent, **context), 422 if context["problem"] else 200)


@bp.post("/<int:import_id>/start")
@require_permission("cdp.write")
def start(import_id: int) -> Response:
    """Begin in the background; leaving the page is fine."""
    row = imports.get_import(import_id)
    mapping = import_view.mapping_from(row, request.form)
    try:
        with unit_of_work():
            imports.start(import_id, mapping)
    except AppError as error:
        if row.state != ImportState.UPLOADED:  # pressed twice, or on another tab
            return go_to(url_for(".show", import_id=import_id))
        page = _page(row, mapping, is_as_sent=bool(request.form.get("as_sent")), problem=_sentence(error))
        return make_response(page, error.status)
    return go_to(url_for(".show", import_id=import_id))


def _sentence(error: AppError) -> str:
    text = error.message.removeprefix("mapping: ")
    return text[:1].upper() + text[1:]


@bp.post("/<int:import_id>/cancel")
@require_permission("cdp.write")
def cancel(import_id: int) -> Response:
    with unit_of_work():
        row = imports.cancel(import_id)
    flash(f"The import is stopped. {row.accepted:,} rows are in and stay.", "ok")
    return go_to(url_for(".show", import_id=import_id))


@bp.get("/<int:import_id>/rejected.csv")
@require_permission("cdp.read")
def rejected(import_id: int) -> Response:
    """The refused rows with the reasons, to be mended and imported again."""
    path = imports.rejected_file(import_id)
    return send_file(path, mimetype="text/csv", as_attachment=True, download_name=f"import-{import_id}-rejected.csv")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
