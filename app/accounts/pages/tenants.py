"""Every workspace of the platform, for its superadmins."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for

from app.accounts import queries
from app.accounts.forms import field_errors
from app.accounts.guards import current_caller, require_permission
from app.accounts.models import Tenant
from app.accounts.schemas.tenants import TenantCreate, TenantQuery, TenantUpdate
from app.accounts.services import invitations, tenants
from app.accounts.services.plans import PLANS, PlanName
from app.core.db import unit_of_work
from app.core.errors import AppError, ValidationFailed
from app.core.htmx import go_to
from app.core.http import validate

bp = Blueprint("tenants_pages", __name__, url_prefix="/app/settings/tenants")
LIMITS = ("max_users", "max_campaigns")
FIELDS = ("name", "slug", "plan", *LIMITS)
NEW = {"plan": "starter", "max_users": 10, "max_campaigns": 100}


@bp.get("")
@require_permission("tenants.manage")
def index() -> str:
    query = _query()
    found = queries.list_tenants(query.q, query.page, query.limit)
    return render_template("settings/tenants.html", found=found, q=query.q, plans=PLANS)


@bp.get("/new")
@require_permission("tenants.manage")
def new() -> Response:
    return _form(None)


@bp.post("/new")
@require_permission("tenants.manage")
def create() -> Response:
    values = _typed(FIELDS) | ({"admin_email": mail} if (mail := request.form.get("admin_email", "").strip()) else {})
    invitation = None
    try:
        body = validate(TenantCreate, values)
        with unit_of_work():
            tenant = tenants.create(plan=body.plan, **body.model_dump(include={"name", "slug", *LIMITS}))
            if body.admin_email:
                invitation = invitations.invite_first_admin(tenant, body.admin_email, current_caller())
    except AppError as error:
        return _form(None, error)
    if invitation is None:
        flash(f"{tenant.name} is made, with nobody in it yet.", "ok")
        return go_to(url_for("tenants_pages.show", tenant_id=tenant.id))
    return _form(tenant, link={"url": invitations.link(invitation), "email": invitation.email})


@bp.get("/<int:tenant_id>")
@require_permission("tenants.manage")
def show(tenant_id: int) -> Response:
    return _form(tenants.get_tenant(tenant_id, current_caller()))


@bp.post("/<int:tenant_id>")
@require_permission("tenants.manage")
def save(tenant_id: int) -> Response:
    tenant = tenants.get_tenant(tenant_id, current_caller())
    try:
        values = {**_typed(FIELDS), "is_active": request.form.get("is_active") == "on"}
        changes = validate(TenantUpdate, values).model_dump(exclude_unset=True)
        with unit_of_work():
            tenants.update(tenant_id, changes, current_caller())
    except AppError as error:
        return _form(tenant, error)
    flash(f"{tenant.name} is saved.", "ok")
    return go_to(url_for("tenants_pages.index"))


def _typed(names: tuple[str, ...]) -> dict[str, Any]:
    """What the form holds; a limit left empty is none."""
    form = {name: request.form.get(name, "").strip() for name in names}
    return {name: text or None if name in LIMITS else text for name, text in form.items()}


def _form(tenant: Tenant | None, error: AppError | None = None, link: dict[str, str] | None = None) -> Response:
    page = render_template(
        "settings/tenant.html",
        tenant=tenant,
        values=_values(tenant, error),
        plan_options=[(name.value, PLANS[name].label) for name in PlanName],
        errors=field_errors(error),
        link=link,
        n_members=queries.count_members(tenant.id) if tenant else 0,
        is_own=tenant is not None and tenant.id == current_caller().tenant.id,
    )
    return make_response(page, error.status if error else 200)


def _values(tenant: Tenant | None, error: AppError | None) -> dict[str, Any]:
    if error is not None:
        return {**request.form.to_dict(), "is_active": request.form.get("is_active") == "on"}
    return {name: getattr(tenant, name) for name in (*FIELDS, "is_active")} if tenant else NEW


def _query() -> TenantQuery:
    """The filters of the address; what makes no sense there is passed over."""
    try:
        return validate(TenantQuery, {name: value for name, value in request.args.items() if value != ""})
    except ValidationFailed:
        return TenantQuery(page=1, limit=20, q="")
