"""`/api/v1/whatsapp` of the stratum contract: one approved text to one person, and the texts there are.

The contract's webhook is with the other callbacks.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import require_permission
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json, read_query
from app.core.paging import PageOut, PageQuery
from app.messaging.models import MessageChannel
from app.messaging.queries import templates as queries
from app.messaging.schemas.templates import WhatsAppSendIn, WhatsAppSent, WhatsAppTemplate, whatsapp_out
from app.messaging.services import single_sends, templates
from app.messaging.services.delivery_reference import public_id

bp = Blueprint("whatsapp_api", __name__, url_prefix="/api/v1/whatsapp")
TAG = "WhatsApp"


@bp.post("/send")
@describe("Send a WhatsApp message", TAG, body=WhatsAppSendIn, answers={202: WhatsAppSent}, errors=(404, 409))
@require_permission("messaging.send")
def send() -> Response:
    """An approved template to one person who agreed; it leaves in the background."""
    body = read_json(WhatsAppSendIn)
    with unit_of_work():
        row = single_sends.send(body.to, body.template, body.parameters)
        answer = {"success": True, "message_id": public_id(row.id), "status": row.state}
    return make_response(jsonify(answer), 202)


@bp.get("/templates")
@describe("List WhatsApp templates", TAG, query=PageQuery, answers={200: PageOut[WhatsAppTemplate]})
@require_permission("messaging.read")
def index() -> Response:
    """The active ones by name, each in the version that would be sent."""
    asked = read_query(PageQuery)
    page = queries.list_rows(asked.page, asked.limit, channel=MessageChannel.WHATSAPP, active=True)
    return jsonify(page.out(_out))


def _out(row: queries.Row) -> dict[str, object]:
    version = templates.version_to_send(row.template)
    return whatsapp_out(row.template, version, queries.channel_name(row.template.name))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
