"""What the provider calls: how a message fares, and what people write. Signed, answered at once, never guessed at."""

from __future__ import annotations

from typing import Literal
from xml.sax.saxutils import escape

from flask import Blueprint, Flask, Response, jsonify, make_response, request
from pydantic import BaseModel

from app.accounts.guards import ignores_bearer, public
from app.cdp.services import ingestion
from app.core.clock import utc_now
from app.core.contract_dialects import messaging_dialect
from app.core.db import release_connection, unit_of_work
from app.core.describe import describe
from app.core.dialects import register_dialect
from app.core.errors import PayloadTooLarge, PermissionDenied
from app.core.links import absolute
from app.core.logs import get_logger
from app.messaging.services import callbacks, inbound, receipts
from app.messaging.services.callbacks import DATABASE_AWAY, Call

bp = Blueprint("provider_callbacks_api", __name__)
log = get_logger()
TAG = "Callbacks"
MOST_BYTES = 64 * 1024
NOTHING = '<?xml version="1.0" encoding="UTF-8"?>\n<Response></Response>'


class Received(BaseModel):
    """What the provider hears of a status call."""

    status: Literal["received"]


@bp.post("/webhooks/status")
@describe("How a message fares", TAG, answers={200: Received}, errors=(403, 413, 503))
@public
@ignores_bearer
def status() -> Response:
    """Called by the provider with a form, signed in `X-Twilio-Signature`: MessageSid, MessageStatus, ErrorCode."""
    return _note(_call(callbacks.STATUS))


@bp.post("/webhooks/inbound")
@describe("What somebody wrote", TAG, answers={200: str}, errors=(403, 413, 503), media="text/xml")
@public
@ignores_bearer
def inbound_message() -> Response:
    """Called by the provider with a form, signed: MessageSid, From, To, Body. The answer is TwiML."""
    return _take(_call(callbacks.INBOUND))


@bp.post("/api/v1/whatsapp/webhook")
@describe("What WhatsApp has to say", "WhatsApp", answers={200: str}, errors=(403, 413, 503),
          media="text/xml, application/json")  # fmt: skip
@public
@ignores_bearer
def whatsapp() -> Response:
    """Both callbacks at one address: with a MessageStatus it is how a message fares, else what somebody wrote."""
    call = _call(callbacks.INBOUND)
    if not call.get("MessageStatus"):
        return _take(call)
    return _note(Call(callbacks.STATUS, call.url, call.params, call.signature, call.received_at))


def _call(kind: str) -> Call:
    """The call as it was signed: at our public address, which a proxy in between may not show us."""
    if (request.content_length or 0) > MOST_BYTES:
        raise PayloadTooLarge("A callback is a short form; this is larger than any.")
    path = request.path + (f"?{request.query_string.decode('latin-1')}" if request.query_string else "")
    signature = request.headers.get("X-Twilio-Signature", "")
    return Call(kind, absolute(path), request.form.to_dict(flat=False), signature, utc_now())


def _note(call: Call) -> Response:
    """One short transaction; kept aside where the database is away, or where we do not know the message yet."""
    try:
        origin = callbacks.origin_of(call)
        with unit_of_work():
            is_known = receipts.note(call, origin)
    except PermissionDenied:
        _refused(call)
        raise
    except DATABASE_AWAY:
        is_known = False
    if not is_known:
        callbacks.hold(call)
    return jsonify({"status": "received"})


def _take(call: Call) -> Response:
    """A STOP is committed, and nothing is on its way to that number any more, before this returns."""
    try:
        origin = callbacks.origin_of(call)
        taken = ingestion.in_turns(lambda: inbound.take(call, origin))
    except PermissionDenied:
        _refused(call)
        raise
    except DATABASE_AWAY:
        callbacks.hold(call)
        return _twiml("")
    release_connection()
    taken.settle()
    return _twiml(taken.reply)


def _refused(call: Call) -> None:
    log.warning("callback_refused", kind=call.kind, account=call.get("AccountSid")[:40], path=request.path)


def _twiml(text: str) -> Response:
    body = NOTHING if not text else NOTHING.replace("</Response>", f"<Message>{escape(text)}</Message></Response>")
    response = make_response(body)
    response.mimetype = "text/xml"
    return response


def init_app(app: Flask) -> None:
    register_dialect("/webhooks", messaging_dialect)
    app.register_blueprint(bp)
