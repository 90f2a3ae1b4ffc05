"""The insight contract's admins: the platform's first one, and a tenant's."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, make_response

from app.accounts.guards import ignores_bearer, may, public, require_permission
from app.accounts.schemas import Credentials
from app.accounts.services import members, signup
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.describe import Message, describe
from app.core.dialects import insight_dialect, register_dialect
from app.core.http import limited_address, read_json

bp = Blueprint("admins_api", __name__)


@bp.post("/setup-admin")
@describe("Create the platform's first admin", "Account", body=Credentials, answers={201: Message}, errors=(409,))
@public
@ignores_bearer
def set_up_admin() -> Response:
    body = read_json(Credentials)
    ratelimit.check("signup.address", limited_address())
    with unit_of_work():
        user = signup.set_up_superadmin(body.email, body.password)
    return make_response(jsonify(message=f"Admin user {user.email} created successfully"), 201)


@bp.post("/admin/users/<int:user_id>/make-admin")
@describe("Make someone an admin", "People", answers={200: Message})
@require_permission("members.manage")
def make_admin(user_id: int) -> Response:
    with unit_of_work():
        user = members.make_admin(user_id)
    return jsonify(message=f"User {user.email} is now an admin")


@bp.post("/admin/users/<int:user_id>/revoke-admin")
@describe("Make an admin a member", "People", answers={200: Message}, errors=(409,))
@require_permission("members.manage")
def revoke_admin(user_id: int) -> Response:
    with unit_of_work():
        user = members.revoke_admin(user_id, by_superadmin=may("tenants.manage"))
    return jsonify(message=f"Admin privileges revoked from user {user.email}")


def init_app(app: Flask) -> None:
    register_dialect("/setup-admin", insight_dialect)
    register_dialect("/admin", insight_dialect)
    app.register_blueprint(bp)
