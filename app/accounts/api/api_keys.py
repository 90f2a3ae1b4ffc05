"""API keys over the API: made, listed, rotated, revoked. A key is in the answer that makes it and nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, make_response

from app.accounts.guards import current_caller, current_tenant, require_permission
from app.accounts.models import ApiKey
from app.accounts.schemas.api_keys import ApiKeyOut, NewApiKey, NewApiKeyOut, Rotation, show_key, show_new_key
from app.accounts.services import api_keys
from app.core import ratelimit
from app.core.clock import utc_now
from app.core.db import get_required, unit_of_work
from app.core.describe import describe
from app.core.http import read_json, read_query
from app.core.paging import PageOut, PageQuery

bp = Blueprint("api_keys_api", __name__, url_prefix="/api/v1/api-keys")
TAG = "API keys"


@bp.post("")
@describe("Make an API key", TAG, body=NewApiKey, answers={201: NewApiKeyOut}, errors=(409,))
@require_permission("api_keys.manage")
def create_key() -> Response:
    body = read_json(NewApiKey)
    ratelimit.check("api_key.create", str(current_tenant().id))
    with unit_of_work():
        key, text = api_keys.create(body.name, body.scopes, created_by=_maker(), expires_at=_expiry(body))
    return _made(show_new_key(key, text))


@bp.get("")
@describe("API keys, newest first, with those that ended", TAG, query=PageQuery, answers={200: PageOut[ApiKeyOut]})
@require_permission("api_keys.manage")
def list_keys() -> Response:
    query = read_query(PageQuery)
    return jsonify(api_keys.page_keys(query.page, query.limit).out(show_key))


@bp.get("/<int:key_id>")
@describe("One API key", TAG, answers={200: ApiKeyOut}, errors=(404,))
@require_permission("api_keys.manage")
def get_key(key_id: int) -> Response:
    return jsonify(show_key(get_required(ApiKey, key_id, label="API key")))


@bp.delete("/<int:key_id>")
@describe("Revoke an API key at once", TAG, answers={200: ApiKeyOut}, errors=(404,))
@require_permission("api_keys.manage")
def revoke_key(key_id: int) -> Response:
    with unit_of_work():
        key = api_keys.revoke(key_id)
    return jsonify(show_key(key))


@bp.post("/<int:key_id>/rotate")
@describe(
    "Make a new key like this one, which works on for the overlap", TAG,
    body=Rotation, answers={201: NewApiKeyOut}, errors=(404, 409),
)  # fmt: skip
@require_permission("api_keys.manage")
def rotate_key(key_id: int) -> Response:
    body = read_json(Rotation)
    ratelimit.check("api_key.create", str(current_tenant().id))
    with unit_of_work():
        overlap = timedelta(hours=body.overlap_hours)
        key, text = api_keys.rotate(key_id, created_by=_maker(), overlap=overlap)
    return _made(show_new_key(key, text, replaces=key_id))


def _maker() -> int | None:
    """A key that makes a key hands on whoever made it."""
    user = current_caller().user
    return user.id if user else None


def _expiry(body: NewApiKey) -> datetime | None:
    return utc_now() + timedelta(days=body.expires_in_days) if body.expires_in_days else body.expires_at


def _made(shown: dict[str, Any]) -> Response:
    return make_response(jsonify(shown), 201)
