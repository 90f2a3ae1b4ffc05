"""The stratum contract's users of a tenant."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response

from app.accounts import queries
from app.accounts.guards import current_caller, require_permission
from app.accounts.models import Membership
from app.accounts.schemas.tokens import Done
from app.accounts.schemas.users import UserCreate, UserOut, UserQuery, UserUpdate
from app.accounts.services import users
from app.core import ratelimit
from app.core.clock import iso
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json, read_query
from app.core.paging import PageOut

bp = Blueprint("users_api", __name__, url_prefix="/api/v1/users")
TAG = "Users"


@bp.get("")
@describe("List users", TAG, query=UserQuery, answers={200: PageOut[UserOut]})
@require_permission("members.read")
def index() -> Response:
    query = read_query(UserQuery)
    found = queries.list_people(query.role, query.is_active, query.q, query.page, query.limit)
    return jsonify(found.out(user_json))


@bp.get("/<int:user_id>")
@describe("Get a user", TAG, answers={200: UserOut}, errors=(404,))
@require_permission("members.read")
def show(user_id: int) -> Response:
    return jsonify(user_json(users.get_person(user_id)))


@bp.post("")
@describe("Create a user", TAG, body=UserCreate, answers={201: UserOut}, errors=(402, 409))
@require_permission("members.manage")
def create() -> Response:
    body = read_json(UserCreate)
    ratelimit.check("user.create", f"tenant:{current_caller().tenant.id}")
    with unit_of_work():
        membership = users.create(body.email, body.full_name, body.role, body.password)
    return make_response(jsonify(user_json(membership)), 201)


@bp.patch("/<int:user_id>")
@describe("Update a user", TAG, body=UserUpdate, answers={200: UserOut}, errors=(402, 404, 409))
@require_permission("members.manage")
def update(user_id: int) -> Response:
    changes = read_json(UserUpdate).model_dump(exclude_unset=True)
    with unit_of_work():
        membership = users.update(user_id, changes, current_caller())
    return jsonify(user_json(membership))


@bp.delete("/<int:user_id>")
@describe("Delete a user", TAG, answers={200: Done}, errors=(404, 409))
@require_permission("members.manage")
def remove(user_id: int) -> Response:
    with unit_of_work():
        users.remove(user_id, current_caller())
    return jsonify(success=True, message="The user is removed.")


def user_json(membership: Membership) -> dict[str, Any]:
    user = membership.user
    return {
        "id": user.id,
        "email": user.email,
        "full_name": user.name,
        "role": queries.role_of(membership),
        "tenant_id": membership.tenant_id,
        "is_active": membership.is_active and user.is_enabled,
        "mfa_enabled": user.has_mfa,
        "last_seen_at": iso(membership.last_seen_at),
        "created_at": iso(membership.created_at),
    }
