"""The stratum contract's tenants."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response

from app.accounts import queries
from app.accounts.guards import current_caller, require_permission
from app.accounts.models import Tenant
from app.accounts.schemas.tenants import TenantCreate, TenantCreated, TenantOut, TenantQuery, TenantUpdate
from app.accounts.services import invitations, tenants
from app.core.clock import iso
from app.core.db import unit_of_work
from app.core.describe import describe
from app.core.http import read_json, read_query
from app.core.paging import PageOut

bp = Blueprint("tenants_api", __name__, url_prefix="/api/v1/tenants")
TAG = "Tenants"


@bp.get("")
@describe("List tenants (superadmin)", TAG, query=TenantQuery, answers={200: PageOut[TenantOut]})
@require_permission("tenants.manage")
def index() -> Response:
    query = read_query(TenantQuery)
    found = queries.list_tenants(query.q, query.page, query.limit)
    return jsonify(found.out(lambda row: _tenant(*row)))


@bp.get("/<int:tenant_id>")
@describe("Get a tenant", TAG, answers={200: TenantOut}, errors=(404,))
@require_permission("workspace.read")
def show(tenant_id: int) -> Response:
    tenant = tenants.get_tenant(tenant_id, current_caller())
    return jsonify(_tenant(tenant, queries.count_members(tenant.id)))


@bp.post("")
@describe("Create a tenant (superadmin)", TAG, body=TenantCreate, answers={201: TenantCreated}, errors=(409,))
@require_permission("tenants.manage")
def create() -> Response:
    body = read_json(TenantCreate)
    values = body.model_dump(exclude_unset=True, exclude={"admin_email", "plan"})
    with unit_of_work():
        tenant = tenants.create(plan=body.plan, **values)
        invitation = (
            invitations.invite_first_admin(tenant, body.admin_email, current_caller()) if body.admin_email else None
        )
    invited = {"invitation": invitations.shown(invitation) if invitation else None}
    return make_response(jsonify(_tenant(tenant, 0) | invited), 201)


@bp.patch("/<int:tenant_id>")
@describe("Update a tenant", TAG, body=TenantUpdate, answers={200: TenantOut}, errors=(404, 409))
@require_permission("workspace.manage")
def update(tenant_id: int) -> Response:
    changes = read_json(TenantUpdate).model_dump(exclude_unset=True)
    with unit_of_work():
        tenant = tenants.update(tenant_id, changes, current_caller())
    return jsonify(_tenant(tenant, queries.count_members(tenant.id)))


def _tenant(tenant: Tenant, users: int) -> dict[str, Any]:
    return {
        "id": tenant.id, "name": tenant.name, "slug": tenant.slug, "plan": tenant.plan,
        "max_users": tenant.max_users, "max_campaigns": tenant.max_campaigns, "is_active": tenant.is_active,
        "requires_mfa": tenant.requires_mfa, "timezone": tenant.timezone, "users": users,
        "created_at": iso(tenant.created_at),
    }  # fmt: skip
