"""`/messaging/api/v1/users` of the messaging contract: people with a phone number."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import current_caller, require_permission
from app.cdp.services import ingestion
from app.core.clock import iso
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json, read_query
from app.messaging.api import contact_uploads
from app.messaging.schemas.contacts import (
    UserChanged,
    UserChangeIn,
    UserCreated,
    UserDeleted,
    UserIn,
    UserOut,
    UsersOut,
    UsersQuery,
    user_out,
    users_out,
)
from app.messaging.services import contacts
from app.messaging.services.contact_words import ConsentWord, refused

bp = Blueprint("messaging_contacts_api", __name__, url_prefix="/messaging/api/v1/users")
TAG = "Users"


@bp.get("")
@describe("List users", TAG, query=UsersQuery, answers={200: UsersOut})
@require_permission("messaging.read")
def index() -> Response:
    """Newest first."""
    asked = read_query(UsersQuery)
    return jsonify(users_out(contacts.list_contacts(_word(asked.consent_state), asked.page, asked.per_page)))


def _word(given: Any) -> ConsentWord | None:
    if given is None:
        return None
    if given not in set(ConsentWord):
        raise refused("consent_state", "Unknown consent state", given, "OPT_IN, OPT_OUT, STOP or UNKNOWN")
    return ConsentWord(given)


@bp.post("")
@describe("Create a user", TAG, body=UserIn, answers={201: UserCreated}, errors=(409, 503))
@require_permission("messaging.write")
def create() -> Response:
    """Refused (409) for a number somebody has: change that one instead."""
    body = read_json(UserIn).model_dump()
    row = ingestion.in_turns(lambda: contacts.create(body, _evidence()))
    answer = {"phone_e164": row.phone, "created_at": iso(row.created_at), "consent_state": row.consent}
    return make_response(jsonify(**answer, message="User created successfully"), 201)


@bp.get("/<phone>")
@describe("Get a user", TAG, answers={200: UserOut}, errors=(400, 404))
@require_permission("messaging.read")
def show(phone: str) -> Response:
    """The number in E.164, its plus written `%2B`, as it is, or left out."""
    return jsonify(user_out(contacts.get_contact(phone)))


@bp.put("/<phone>")
@describe("Update a user", TAG, body=UserChangeIn, answers={200: UserChanged}, errors=(404, 503))
@require_permission("messaging.write")
def change(phone: str) -> Response:
    """Attributes given are set, null ones removed, others stay. OPT_IN lifts a STOP: send it when they said so."""
    body = read_json(UserChangeIn).model_dump()
    with unit_of_work():
        row = contacts.change(phone, body, _evidence())
    return jsonify(user_out(row) | {"message": "User updated successfully"})


@bp.delete("/<phone>")
@describe("Delete a user", TAG, answers={200: UserDeleted}, errors=(400, 404, 503))
@require_permission("messaging.write")
def delete(phone: str) -> Response:
    """Erases the person with everything known of them, at once and for good."""
    with unit_of_work():
        number = contacts.delete(phone)
    return jsonify(message="User deleted successfully", phone_e164=number)


def _evidence() -> dict[str, Any]:
    """Who passed the person's word on."""
    caller = current_caller()
    by = f"API key {caller.api_key.name}" if caller.api_key else (caller.user.email if caller.user else "")
    return {"through": "messaging API", "by": by}


def init_app(app: Flask) -> None:
    app.register_blueprint(contact_uploads.bp)
    app.register_blueprint(bp)
