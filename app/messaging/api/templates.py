"""`/messaging/api/v1/templates`: the contract's list and create, and one changed, deleted, previewed."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_caller, require_permission
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.errors import NotFound
from app.core.http import read_json, read_query
from app.messaging.queries import templates as queries
from app.messaging.schemas.templates import (
    PreviewIn,
    PreviewOut,
    TemplateChangeIn,
    TemplateDeleted,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
    TemplatesQuery,
    preview_out,
    template_out,
)
from app.messaging.services import phones, template_people, templates
from app.messaging.services.plain_values import PersonRow, PersonValues, values_of
from app.messaging.services.rendering import Compiled, compiled

bp = Blueprint("messaging_templates_api", __name__, url_prefix="/messaging/api/v1/templates")
TAG = "Templates"


@bp.get("")
@describe("List templates", TAG, query=TemplatesQuery, answers={200: TemplatesOut})
@require_permission("messaging.read")
def index() -> Response:
    """By name."""
    asked = read_query(TemplatesQuery)
    page = queries.list_rows(asked.page, asked.per_page, q=asked.q, channel=asked.channel, active=asked.is_active)
    return jsonify({
        "templates": [template_out(row) for row in page.items], "total": page.total, "page": page.number,
        "per_page": page.limit, "pages": page.pages,
    })  # fmt: skip


@bp.post("")
@describe("Create a template", TAG, body=TemplateIn, answers={201: TemplateOut}, errors=(409,))
@require_permission("messaging.write")
def create() -> Response:
    """`variables` may be left out; given, they must be those of the text."""
    body = read_json(TemplateIn)
    with unit_of_work():
        row = templates.create(
            body.name, body.content, channel=body.channel, variables=body.variables, is_active=body.is_active,
            language=body.language, category=body.category, user_id=_user_id(),
        )  # fmt: skip
        answer = template_out(queries.row_of(row))
    return make_response(jsonify(answer), 201)


@bp.get("/<template_id>")
@describe("Get a template", TAG, answers={200: TemplateOut}, errors=(404,))
@require_permission("messaging.read")
def show(template_id: str) -> Response:
    return jsonify(template_out(queries.row_of(templates.get_by_uuid(template_id))))


@bp.put("/<template_id>")
@describe("Change a template", TAG, body=TemplateChangeIn, answers={200: TemplateOut}, errors=(404, 409))
@require_permission("messaging.write")
def update(template_id: str) -> Response:
    """Another text is a new version: campaigns that run keep theirs."""
    templates.get_by_uuid(template_id)
    body = read_json(TemplateChangeIn)
    with unit_of_work():
        row = templates.update(
            templates.get_by_uuid(template_id).id, name=body.name, content=body.content, variables=body.variables,
            is_active=body.is_active, language=body.language, category=body.category, user_id=_user_id(),
        )  # fmt: skip
        answer = template_out(queries.row_of(row))
    return jsonify(answer)


@bp.delete("/<template_id>")
@describe("Delete a template", TAG, answers={200: TemplateDeleted}, errors=(404, 409))
@require_permission("messaging.write")
def delete(template_id: str) -> Response:
    """Refused while a campaign that may still send uses it, saying which."""
    with unit_of_work():
        templates.delete(templates.get_by_uuid(template_id).id)
    return jsonify({"message": "Template deleted successfully", "id": template_id})


@bp.post("/<template_id>/preview")
@describe("Preview a template", TAG, body=PreviewIn, answers={200: PreviewOut}, errors=(404,))
@require_permission("messaging.read")
def preview(template_id: str) -> Response:
    """The text as one person would read it; nothing is sent."""
    text = compiled(templates.newest_version(templates.get_by_uuid(template_id)))
    body = read_json(PreviewIn)
    return jsonify(preview_out(template_people.show(text, _values(body, text))))


def _values(body: PreviewIn, text: Compiled) -> PersonValues:
    company = template_people.tenant_name()
    if body.attributes is not None:
        name = body.attributes.get("name")
        return values_of(PersonRow(body.attributes, name if isinstance(name, str) else ""), company)
    phone = phones.read(body.phone_e164 or "", "phone_e164")
    person = template_people.find_by_phone(phone)
    if person is None:
        raise NotFound(f"User with phone {phone} not found")
    return template_people.values_for(person, text, company)


def _user_id() -> int | None:
    user = current_caller().user
    return user.id if user else None


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
