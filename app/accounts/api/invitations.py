"""Invitations to join the tenant, over the API."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response

from app.accounts import queries
from app.accounts.guards import current_caller, require_permission
from app.accounts.schemas.tokens import Done
from app.accounts.schemas.users import InvitationCreate, InvitationOut
from app.accounts.services import invitations
from app.core import ratelimit
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json, read_query
from app.core.paging import PageOut, PageQuery

bp = Blueprint("invitations_api", __name__, url_prefix="/api/v1/invitations")
TAG = "Invitations"


@bp.post("")
@describe("Invite someone", TAG, body=InvitationCreate, answers={201: InvitationOut}, errors=(402, 409))
@require_permission("members.manage")
def create() -> Response:
    body = read_json(InvitationCreate)
    caller = current_caller()
    ratelimit.check("invite", f"tenant:{caller.tenant.id}")
    with unit_of_work():
        invitation = invitations.invite(body.email, body.role, caller)
    return make_response(jsonify(invitations.shown(invitation)), 201)


@bp.get("")
@describe("List open invitations", TAG, query=PageQuery, answers={200: PageOut[InvitationOut]})
@require_permission("members.manage")
def index() -> Response:
    query = read_query(PageQuery)
    found = queries.list_open_invitations(query.page, query.limit)
    return jsonify(found.out(invitations.shown))


@bp.delete("/<int:invitation_id>")
@describe("Revoke an invitation", TAG, answers={200: Done}, errors=(404, 409))
@require_permission("members.manage")
def revoke(invitation_id: int) -> Response:
    with unit_of_work():
        invitations.revoke(invitation_id)
    return jsonify(success=True, message="The invitation is revoked.")
