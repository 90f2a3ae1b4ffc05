"""`/api/v1/cdp/imports`: files of people or events."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Flask, Response, jsonify, make_response, request, send_file

from app.accounts.guards import current_caller, require_permission
from app.cdp.schemas.imports import ImportOut, MappingIn, TrialOut, UploadIn, import_out
from app.cdp.services import imports
from app.core.config import get_settings
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.errors import UnsupportedMediaType, ValidationFailed
from app.core.http import read_json, read_query, takes_upload, validate
from app.core.paging import PageOut, PageQuery, paginate

bp = Blueprint("cdp_imports_api", __name__, url_prefix="/api/v1/cdp/imports")
TAG = "CDP imports"


@bp.get("")
@describe("Imports", TAG, query=PageQuery, answers={200: PageOut[ImportOut]})
@require_permission("cdp.read")
def index() -> Response:
    asked = read_query(PageQuery)
    return jsonify(paginate(imports.list_imports(), asked.page, asked.limit).out(import_out))


@bp.post("")
@takes_upload(lambda: get_settings().import_max_bytes)
@describe("Upload a file", TAG, answers={201: ImportOut}, errors=(413, 415, 422, 503))
@require_permission("cdp.write")
def upload() -> Response:
    """multipart/form-data with `file` (CSV, JSON lines or a JSON list) and `kind` (people or events)."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send the file as multipart/form-data.")
    form = validate(UploadIn, request.form.to_dict())
    file = request.files.get("file")
    if file is None or not file.filename or "\0" in file.filename:
        raise ValidationFailed("file: is needed.", field="file")
    received = imports.receive(file.stream)
    user = current_caller().user
    with unit_of_work():
        row = imports.create(form.kind, file.filename, received, user_id=user.id if user else None)
    return make_response(jsonify(import_out(row)), 201)


@bp.get("/<int:import_id>")
@describe("One import", TAG, answers={200: ImportOut}, errors=(404,))
@require_permission("cdp.read")
def show(import_id: int) -> Response:
    return jsonify(import_out(imports.get_import(import_id)))


@bp.post("/<int:import_id>/dry-run")
@describe("Try the first rows", TAG, body=MappingIn, answers={200: TrialOut}, errors=(404, 409))
@require_permission("cdp.write")
def try_out(import_id: int) -> Response:
    imports.get_import(import_id)
    body = read_json(MappingIn)
    return jsonify(asdict(imports.try_out(import_id, body.mapping)))


@bp.post("/<int:import_id>/start")
@describe("Start an import", TAG, body=MappingIn, answers={202: ImportOut}, errors=(404, 409, 503))
@require_permission("cdp.write")
def start(import_id: int) -> Response:
    imports.get_import(import_id)
    body = read_json(MappingIn)
    with unit_of_work():
        row = imports.start(import_id, body.mapping)
    return make_response(jsonify(import_out(row)), 202)


@bp.post("/<int:import_id>/cancel")
@describe("Stop an import", TAG, answers={200: ImportOut}, errors=(404, 409, 503))
@require_permission("cdp.write")
def cancel(import_id: int) -> Response:
    """What is in already stays."""
    with unit_of_work():
        row = imports.cancel(import_id)
    return jsonify(import_out(row))


@bp.get("/<int:import_id>/rejected")
@describe("Refused rows as CSV", TAG, answers={200: None}, errors=(404,), media="text/csv")
@require_permission("cdp.read")
def rejected(import_id: int) -> Response:
    path = imports.rejected_file(import_id)
    name = f"import-{import_id}-rejected.csv"
    return send_file(path, mimetype="text/csv", as_attachment=True, download_name=name)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
